// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-BpGzVER6.js", kind: "text/javascript; charset=utf-8", digest: "edfeadcec21b6f2c", bytes: include_bytes!("assets/embed-BpGzVER6.js") },
    File { path: "assets/main-D_cv7_bb.js", kind: "text/javascript; charset=utf-8", digest: "4d36aac2114df7d3", bytes: include_bytes!("assets/main-D_cv7_bb.js") },
    File { path: "assets/stage-chart-BH9WCpsc.css", kind: "text/css; charset=utf-8", digest: "851c7e291a288b6a", bytes: include_bytes!("assets/stage-chart-BH9WCpsc.css") },
    File { path: "assets/stage-chart-VHlVP4P8.js", kind: "text/javascript; charset=utf-8", digest: "e804e96f3c852cbd", bytes: include_bytes!("assets/stage-chart-VHlVP4P8.js") },
    File { path: "assets/where-hq7fvzos.js", kind: "text/javascript; charset=utf-8", digest: "287e7ea6d2cb755d", bytes: include_bytes!("assets/where-hq7fvzos.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "71982dac536f988b", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "49b64ea01fcc07fb", bytes: include_bytes!("index.html") },
]
