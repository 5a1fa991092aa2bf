// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DECOg3Cn.js", kind: "text/javascript; charset=utf-8", digest: "a4c47ff14a648a9f", bytes: include_bytes!("assets/controls-DECOg3Cn.js") },
    File { path: "assets/embed-CqS1vM8W.js", kind: "text/javascript; charset=utf-8", digest: "ad79e8ce9dcc2537", bytes: include_bytes!("assets/embed-CqS1vM8W.js") },
    File { path: "assets/main-C5071XbS.js", kind: "text/javascript; charset=utf-8", digest: "0f044bf7d1677b42", bytes: include_bytes!("assets/main-C5071XbS.js") },
    File { path: "assets/method-iRZAX2iZ.js", kind: "text/javascript; charset=utf-8", digest: "f2e55626f72dace2", bytes: include_bytes!("assets/method-iRZAX2iZ.js") },
    File { path: "assets/stage-chart-C-xhJ3cH.js", kind: "text/javascript; charset=utf-8", digest: "b7f349034e5c394a", bytes: include_bytes!("assets/stage-chart-C-xhJ3cH.js") },
    File { path: "assets/stage-chart-DF4egAL7.css", kind: "text/css; charset=utf-8", digest: "a691bd608610deed", bytes: include_bytes!("assets/stage-chart-DF4egAL7.css") },
    File { path: "assets/where-vH1vu0sw.js", kind: "text/javascript; charset=utf-8", digest: "38b5b7f139c4bd0d", bytes: include_bytes!("assets/where-vH1vu0sw.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "0f02de3c8325407f", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "c617722bad4fce84", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
