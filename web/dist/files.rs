// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-BUoamO-9.js", kind: "text/javascript; charset=utf-8", digest: "6529196fe8155ce6", bytes: include_bytes!("assets/controls-BUoamO-9.js") },
    File { path: "assets/embed-CRVZb1Xq.js", kind: "text/javascript; charset=utf-8", digest: "d74c24a1d1f53bb5", bytes: include_bytes!("assets/embed-CRVZb1Xq.js") },
    File { path: "assets/main-CbDArxp8.js", kind: "text/javascript; charset=utf-8", digest: "ab326b2414f18bd4", bytes: include_bytes!("assets/main-CbDArxp8.js") },
    File { path: "assets/method-FMSbiC5N.js", kind: "text/javascript; charset=utf-8", digest: "3ad96fae1f2f889d", bytes: include_bytes!("assets/method-FMSbiC5N.js") },
    File { path: "assets/stage-chart-DU-BIL9v.css", kind: "text/css; charset=utf-8", digest: "35dd5b43deee7aa8", bytes: include_bytes!("assets/stage-chart-DU-BIL9v.css") },
    File { path: "assets/stage-chart-DVrYiLn7.js", kind: "text/javascript; charset=utf-8", digest: "49f663ad6d206c1b", bytes: include_bytes!("assets/stage-chart-DVrYiLn7.js") },
    File { path: "assets/where-uNMhmB9l.js", kind: "text/javascript; charset=utf-8", digest: "ac46fd15f18d3da3", bytes: include_bytes!("assets/where-uNMhmB9l.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "a1a36f3f931e120b", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "22b359d9f3a7da27", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
