// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-D3bY9LPE.js", kind: "text/javascript; charset=utf-8", digest: "9156f2b63d236667", bytes: include_bytes!("assets/dom-D3bY9LPE.js") },
    File { path: "assets/embed-B4KGDokB.js", kind: "text/javascript; charset=utf-8", digest: "a188d64d0720f230", bytes: include_bytes!("assets/embed-B4KGDokB.js") },
    File { path: "assets/main-BeulxsnY.js", kind: "text/javascript; charset=utf-8", digest: "949ac6d3d3fee51b", bytes: include_bytes!("assets/main-BeulxsnY.js") },
    File { path: "assets/method-C76q1Fl0.js", kind: "text/javascript; charset=utf-8", digest: "316f8770a07a3dbf", bytes: include_bytes!("assets/method-C76q1Fl0.js") },
    File { path: "assets/stage-chart-BAqhvU9U.js", kind: "text/javascript; charset=utf-8", digest: "36beb30d7a6ce3cb", bytes: include_bytes!("assets/stage-chart-BAqhvU9U.js") },
    File { path: "assets/stage-chart-gNMe4OA9.css", kind: "text/css; charset=utf-8", digest: "ed9358bf573d8c41", bytes: include_bytes!("assets/stage-chart-gNMe4OA9.css") },
    File { path: "assets/where-BFrGpUPx.js", kind: "text/javascript; charset=utf-8", digest: "6b8f8680312badfe", bytes: include_bytes!("assets/where-BFrGpUPx.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "d4773d566fa29e58", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "a665344609c3db67", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
