// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls--75ME_bh.js", kind: "text/javascript; charset=utf-8", digest: "0baf54c9349b423d", bytes: include_bytes!("assets/controls--75ME_bh.js") },
    File { path: "assets/embed-BlJCKhz5.js", kind: "text/javascript; charset=utf-8", digest: "54f10c881dde8b65", bytes: include_bytes!("assets/embed-BlJCKhz5.js") },
    File { path: "assets/main-BJ1wavd-.js", kind: "text/javascript; charset=utf-8", digest: "46534701317eb9c4", bytes: include_bytes!("assets/main-BJ1wavd-.js") },
    File { path: "assets/method-BBpwrQaF.js", kind: "text/javascript; charset=utf-8", digest: "e7db34214b6bbd17", bytes: include_bytes!("assets/method-BBpwrQaF.js") },
    File { path: "assets/stage-chart-BZVN1CBc.js", kind: "text/javascript; charset=utf-8", digest: "cbf4736b5aa4a639", bytes: include_bytes!("assets/stage-chart-BZVN1CBc.js") },
    File { path: "assets/stage-chart-C4iNHooe.css", kind: "text/css; charset=utf-8", digest: "829cdbb5546185e5", bytes: include_bytes!("assets/stage-chart-C4iNHooe.css") },
    File { path: "assets/where-TSEj2Qz5.js", kind: "text/javascript; charset=utf-8", digest: "07b63b0caff0e301", bytes: include_bytes!("assets/where-TSEj2Qz5.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "d3d28426766cd8cd", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "977816dfd119b0cc", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
