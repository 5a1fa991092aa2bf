// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DMu885np.js", kind: "text/javascript; charset=utf-8", digest: "98aa1b4ce244f4ca", bytes: include_bytes!("assets/controls-DMu885np.js") },
    File { path: "assets/embed-hxULnYFS.js", kind: "text/javascript; charset=utf-8", digest: "7aa0fcbb29ec1732", bytes: include_bytes!("assets/embed-hxULnYFS.js") },
    File { path: "assets/main-CA3RC7eZ.js", kind: "text/javascript; charset=utf-8", digest: "3091fc1fde8d1828", bytes: include_bytes!("assets/main-CA3RC7eZ.js") },
    File { path: "assets/method-BtpqbbMP.js", kind: "text/javascript; charset=utf-8", digest: "e2d06587d514597e", bytes: include_bytes!("assets/method-BtpqbbMP.js") },
    File { path: "assets/stage-chart-C4iNHooe.css", kind: "text/css; charset=utf-8", digest: "829cdbb5546185e5", bytes: include_bytes!("assets/stage-chart-C4iNHooe.css") },
    File { path: "assets/stage-chart-CkwWq39E.js", kind: "text/javascript; charset=utf-8", digest: "de45bb0924d0be17", bytes: include_bytes!("assets/stage-chart-CkwWq39E.js") },
    File { path: "assets/where-BbEsyF9R.js", kind: "text/javascript; charset=utf-8", digest: "52539943fc12504b", bytes: include_bytes!("assets/where-BbEsyF9R.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "4ee43cdcfeed5508", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "4f4ffb4eb75d222e", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
