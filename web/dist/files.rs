// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-BdH4QtO8.js", kind: "text/javascript; charset=utf-8", digest: "64e43b721f2d1f32", bytes: include_bytes!("assets/embed-BdH4QtO8.js") },
    File { path: "assets/main-BdnKxfcQ.js", kind: "text/javascript; charset=utf-8", digest: "df14bfa50162d02e", bytes: include_bytes!("assets/main-BdnKxfcQ.js") },
    File { path: "assets/stage-chart-B3qwx7NI.css", kind: "text/css; charset=utf-8", digest: "ff23fe7677e58824", bytes: include_bytes!("assets/stage-chart-B3qwx7NI.css") },
    File { path: "assets/stage-chart-CP33hnJp.js", kind: "text/javascript; charset=utf-8", digest: "fb2531e3a9248988", bytes: include_bytes!("assets/stage-chart-CP33hnJp.js") },
    File { path: "assets/where-BXEKTS3C.js", kind: "text/javascript; charset=utf-8", digest: "a9dc6cc51c84a7e7", bytes: include_bytes!("assets/where-BXEKTS3C.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "5e79d686e433ae67", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "d50b62fe7db6e390", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
