// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-BW0CjNr8.js", kind: "text/javascript; charset=utf-8", digest: "c6f232ae0f5abbf2", bytes: include_bytes!("assets/controls-BW0CjNr8.js") },
    File { path: "assets/embed-CIskpB0h.js", kind: "text/javascript; charset=utf-8", digest: "25e0a5a02ed77a43", bytes: include_bytes!("assets/embed-CIskpB0h.js") },
    File { path: "assets/main-DuyMt7jd.js", kind: "text/javascript; charset=utf-8", digest: "f5ec8b3b5712bd4e", bytes: include_bytes!("assets/main-DuyMt7jd.js") },
    File { path: "assets/method-BrpP2u7n.js", kind: "text/javascript; charset=utf-8", digest: "fb2d60277cbac675", bytes: include_bytes!("assets/method-BrpP2u7n.js") },
    File { path: "assets/stage-chart-BHuxC1Lw.js", kind: "text/javascript; charset=utf-8", digest: "c1c8397fd29ca02a", bytes: include_bytes!("assets/stage-chart-BHuxC1Lw.js") },
    File { path: "assets/stage-chart-DU-BIL9v.css", kind: "text/css; charset=utf-8", digest: "35dd5b43deee7aa8", bytes: include_bytes!("assets/stage-chart-DU-BIL9v.css") },
    File { path: "assets/where-KkfPU6l7.js", kind: "text/javascript; charset=utf-8", digest: "334ddc239dfca6ce", bytes: include_bytes!("assets/where-KkfPU6l7.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "422b4c10641fc13a", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "15d38669cfaafb7f", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
