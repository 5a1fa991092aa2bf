// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-KhZVZgSe.js", kind: "text/javascript; charset=utf-8", digest: "434d7f5438f5acc3", bytes: include_bytes!("assets/controls-KhZVZgSe.js") },
    File { path: "assets/embed-Dr0Dumsw.js", kind: "text/javascript; charset=utf-8", digest: "0d1a481de821d0ed", bytes: include_bytes!("assets/embed-Dr0Dumsw.js") },
    File { path: "assets/main-BIRH1_di.js", kind: "text/javascript; charset=utf-8", digest: "ea12a48d641d9361", bytes: include_bytes!("assets/main-BIRH1_di.js") },
    File { path: "assets/method-WURQI-Fc.js", kind: "text/javascript; charset=utf-8", digest: "1ecda5a4d38aa85a", bytes: include_bytes!("assets/method-WURQI-Fc.js") },
    File { path: "assets/stage-chart-Cu01VTUS.js", kind: "text/javascript; charset=utf-8", digest: "fafdf793a0b2a89c", bytes: include_bytes!("assets/stage-chart-Cu01VTUS.js") },
    File { path: "assets/stage-chart-D4ubnwIJ.css", kind: "text/css; charset=utf-8", digest: "24ee770f2b11562f", bytes: include_bytes!("assets/stage-chart-D4ubnwIJ.css") },
    File { path: "assets/where-CCkyHLjh.js", kind: "text/javascript; charset=utf-8", digest: "3eaf63a0377500e7", bytes: include_bytes!("assets/where-CCkyHLjh.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "0c874bfe78dc5ae3", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "1d5c1dab06eda156", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
