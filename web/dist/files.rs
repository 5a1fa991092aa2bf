// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DECOg3Cn.js", kind: "text/javascript; charset=utf-8", digest: "a4c47ff14a648a9f", bytes: include_bytes!("assets/controls-DECOg3Cn.js") },
    File { path: "assets/embed-n4JKYVsy.js", kind: "text/javascript; charset=utf-8", digest: "2f248b99c69bcb48", bytes: include_bytes!("assets/embed-n4JKYVsy.js") },
    File { path: "assets/main-DPuglmYN.js", kind: "text/javascript; charset=utf-8", digest: "50df32b9087f39cd", bytes: include_bytes!("assets/main-DPuglmYN.js") },
    File { path: "assets/method-iRZAX2iZ.js", kind: "text/javascript; charset=utf-8", digest: "f2e55626f72dace2", bytes: include_bytes!("assets/method-iRZAX2iZ.js") },
    File { path: "assets/stage-chart-C4iNHooe.css", kind: "text/css; charset=utf-8", digest: "829cdbb5546185e5", bytes: include_bytes!("assets/stage-chart-C4iNHooe.css") },
    File { path: "assets/stage-chart-K3LClKId.js", kind: "text/javascript; charset=utf-8", digest: "b7f349034e5c394a", bytes: include_bytes!("assets/stage-chart-K3LClKId.js") },
    File { path: "assets/where-Dlst9F2V.js", kind: "text/javascript; charset=utf-8", digest: "bf51cdea1d0cec6e", bytes: include_bytes!("assets/where-Dlst9F2V.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "ede1bf8597865306", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "f450c433cd78a74c", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
