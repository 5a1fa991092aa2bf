// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DECOg3Cn.js", kind: "text/javascript; charset=utf-8", digest: "a4c47ff14a648a9f", bytes: include_bytes!("assets/controls-DECOg3Cn.js") },
    File { path: "assets/embed-pfwB4u-D.js", kind: "text/javascript; charset=utf-8", digest: "1347775e9f4057b6", bytes: include_bytes!("assets/embed-pfwB4u-D.js") },
    File { path: "assets/main-Bvv4FPz5.js", kind: "text/javascript; charset=utf-8", digest: "f858cbc32dad55f3", bytes: include_bytes!("assets/main-Bvv4FPz5.js") },
    File { path: "assets/method-iRZAX2iZ.js", kind: "text/javascript; charset=utf-8", digest: "f2e55626f72dace2", bytes: include_bytes!("assets/method-iRZAX2iZ.js") },
    File { path: "assets/stage-chart-6-yJY35C.css", kind: "text/css; charset=utf-8", digest: "3e6806b58df64c35", bytes: include_bytes!("assets/stage-chart-6-yJY35C.css") },
    File { path: "assets/stage-chart-DFotO2rr.js", kind: "text/javascript; charset=utf-8", digest: "b7f349034e5c394a", bytes: include_bytes!("assets/stage-chart-DFotO2rr.js") },
    File { path: "assets/where-B6GkHuI3.js", kind: "text/javascript; charset=utf-8", digest: "8cd2fe9589f9d182", bytes: include_bytes!("assets/where-B6GkHuI3.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "2aa8afcf81ce1e9a", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "8fac085f9015f8fc", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
