// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B7_HqN11.js", kind: "text/javascript; charset=utf-8", digest: "7bc54338e422e89f", bytes: include_bytes!("assets/dom-B7_HqN11.js") },
    File { path: "assets/embed-BOVv5h6f.js", kind: "text/javascript; charset=utf-8", digest: "1a5acedc07cea1af", bytes: include_bytes!("assets/embed-BOVv5h6f.js") },
    File { path: "assets/main-_NdZauo9.js", kind: "text/javascript; charset=utf-8", digest: "b4cf9853d21b40e5", bytes: include_bytes!("assets/main-_NdZauo9.js") },
    File { path: "assets/method-D-MHYCGd.js", kind: "text/javascript; charset=utf-8", digest: "82c3e34cae0bc582", bytes: include_bytes!("assets/method-D-MHYCGd.js") },
    File { path: "assets/stage-chart-9LNQPBJ3.js", kind: "text/javascript; charset=utf-8", digest: "99ce755f49dd16a9", bytes: include_bytes!("assets/stage-chart-9LNQPBJ3.js") },
    File { path: "assets/stage-chart-BgW-_SP9.css", kind: "text/css; charset=utf-8", digest: "7b39bb6af4c5712e", bytes: include_bytes!("assets/stage-chart-BgW-_SP9.css") },
    File { path: "assets/where-S3gkrccA.js", kind: "text/javascript; charset=utf-8", digest: "7c10574fa87c2817", bytes: include_bytes!("assets/where-S3gkrccA.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "45d2b947a851247c", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "b0dc8f68105eac9b", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
