// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-W3rEjpUP.js", kind: "text/javascript; charset=utf-8", digest: "6798da54bb8c51c2", bytes: include_bytes!("assets/controls-W3rEjpUP.js") },
    File { path: "assets/embed-DrSGJtim.js", kind: "text/javascript; charset=utf-8", digest: "14f3079bc765ae50", bytes: include_bytes!("assets/embed-DrSGJtim.js") },
    File { path: "assets/main-BNlcBdPQ.js", kind: "text/javascript; charset=utf-8", digest: "ff0ad12f2119c1e7", bytes: include_bytes!("assets/main-BNlcBdPQ.js") },
    File { path: "assets/method-ChaBzjDa.js", kind: "text/javascript; charset=utf-8", digest: "04159a4be358f284", bytes: include_bytes!("assets/method-ChaBzjDa.js") },
    File { path: "assets/stage-chart-Bn4WgBR7.js", kind: "text/javascript; charset=utf-8", digest: "3134bbc717feb3a9", bytes: include_bytes!("assets/stage-chart-Bn4WgBR7.js") },
    File { path: "assets/stage-chart-DfajDltB.css", kind: "text/css; charset=utf-8", digest: "720cc7ce5dc2fc2d", bytes: include_bytes!("assets/stage-chart-DfajDltB.css") },
    File { path: "assets/where-CVvV-uBf.js", kind: "text/javascript; charset=utf-8", digest: "86070e9ba4580bbb", bytes: include_bytes!("assets/where-CVvV-uBf.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "e0444a30f87698db", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "c047751598873ebb", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
