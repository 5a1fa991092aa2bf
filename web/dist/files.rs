// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DnZZJsg6.js", kind: "text/javascript; charset=utf-8", digest: "61ff0bf3d2d04004", bytes: include_bytes!("assets/controls-DnZZJsg6.js") },
    File { path: "assets/embed-D79gs856.js", kind: "text/javascript; charset=utf-8", digest: "5708a6ab7320283d", bytes: include_bytes!("assets/embed-D79gs856.js") },
    File { path: "assets/main-CNDjfzW0.js", kind: "text/javascript; charset=utf-8", digest: "9aad7f1bdff5a20a", bytes: include_bytes!("assets/main-CNDjfzW0.js") },
    File { path: "assets/method-Bf3Kv_UA.js", kind: "text/javascript; charset=utf-8", digest: "938970259b329c41", bytes: include_bytes!("assets/method-Bf3Kv_UA.js") },
    File { path: "assets/stage-chart-BVeNPcwu.js", kind: "text/javascript; charset=utf-8", digest: "0dcf5b1a20d8eea3", bytes: include_bytes!("assets/stage-chart-BVeNPcwu.js") },
    File { path: "assets/stage-chart-V-oec2jV.css", kind: "text/css; charset=utf-8", digest: "1651cc6d43592c1d", bytes: include_bytes!("assets/stage-chart-V-oec2jV.css") },
    File { path: "assets/where-BpCJcI5z.js", kind: "text/javascript; charset=utf-8", digest: "40838fe234a523bb", bytes: include_bytes!("assets/where-BpCJcI5z.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "21f14d9beddfd8af", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "6c71cc843d171f8e", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
