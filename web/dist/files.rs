// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B8rMdSNw.js", kind: "text/javascript; charset=utf-8", digest: "79fbd3680c3a78fb", bytes: include_bytes!("assets/dom-B8rMdSNw.js") },
    File { path: "assets/embed--HaclU8W.js", kind: "text/javascript; charset=utf-8", digest: "744286ff8c2ef504", bytes: include_bytes!("assets/embed--HaclU8W.js") },
    File { path: "assets/main-dO-GAWWB.js", kind: "text/javascript; charset=utf-8", digest: "0e404332d5987737", bytes: include_bytes!("assets/main-dO-GAWWB.js") },
    File { path: "assets/method-dWwNuxQm.js", kind: "text/javascript; charset=utf-8", digest: "8ca7aba44565e4a0", bytes: include_bytes!("assets/method-dWwNuxQm.js") },
    File { path: "assets/stage-chart-BgW-_SP9.css", kind: "text/css; charset=utf-8", digest: "7b39bb6af4c5712e", bytes: include_bytes!("assets/stage-chart-BgW-_SP9.css") },
    File { path: "assets/stage-chart-Dv15ge4Y.js", kind: "text/javascript; charset=utf-8", digest: "e9a264978bf39d9d", bytes: include_bytes!("assets/stage-chart-Dv15ge4Y.js") },
    File { path: "assets/where-BqrwPro2.js", kind: "text/javascript; charset=utf-8", digest: "ead3e2caa9f552a2", bytes: include_bytes!("assets/where-BqrwPro2.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "9c461bc3177d8a83", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "39a090dbf707c9dd", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
