// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-JWBJGLbQ.js", kind: "text/javascript; charset=utf-8", digest: "542a9f00337b9693", bytes: include_bytes!("assets/dom-JWBJGLbQ.js") },
    File { path: "assets/embed-DcPAFUlr.js", kind: "text/javascript; charset=utf-8", digest: "91f0b49400f85803", bytes: include_bytes!("assets/embed-DcPAFUlr.js") },
    File { path: "assets/main-BpjrzXAy.js", kind: "text/javascript; charset=utf-8", digest: "1dca98d834e404b4", bytes: include_bytes!("assets/main-BpjrzXAy.js") },
    File { path: "assets/method-ZJ9LVGsY.js", kind: "text/javascript; charset=utf-8", digest: "2e8b391ee5f44d11", bytes: include_bytes!("assets/method-ZJ9LVGsY.js") },
    File { path: "assets/stage-chart-BgW-_SP9.css", kind: "text/css; charset=utf-8", digest: "7b39bb6af4c5712e", bytes: include_bytes!("assets/stage-chart-BgW-_SP9.css") },
    File { path: "assets/stage-chart-Dk6S1SyG.js", kind: "text/javascript; charset=utf-8", digest: "9c5f4f530160944c", bytes: include_bytes!("assets/stage-chart-Dk6S1SyG.js") },
    File { path: "assets/where-C8nW81Ng.js", kind: "text/javascript; charset=utf-8", digest: "7d6db2ecd784fd7a", bytes: include_bytes!("assets/where-C8nW81Ng.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "8a3afb285f90f28b", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "b7f554799247abd4", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
