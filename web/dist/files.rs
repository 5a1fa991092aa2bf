// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-BUoamO-9.js", kind: "text/javascript; charset=utf-8", digest: "6529196fe8155ce6", bytes: include_bytes!("assets/controls-BUoamO-9.js") },
    File { path: "assets/embed-CRVZb1Xq.js", kind: "text/javascript; charset=utf-8", digest: "d74c24a1d1f53bb5", bytes: include_bytes!("assets/embed-CRVZb1Xq.js") },
    File { path: "assets/main-pkAr3OHm.js", kind: "text/javascript; charset=utf-8", digest: "729a738515d5c63e", bytes: include_bytes!("assets/main-pkAr3OHm.js") },
    File { path: "assets/method-FMSbiC5N.js", kind: "text/javascript; charset=utf-8", digest: "3ad96fae1f2f889d", bytes: include_bytes!("assets/method-FMSbiC5N.js") },
    File { path: "assets/stage-chart-DU-BIL9v.css", kind: "text/css; charset=utf-8", digest: "35dd5b43deee7aa8", bytes: include_bytes!("assets/stage-chart-DU-BIL9v.css") },
    File { path: "assets/stage-chart-DVrYiLn7.js", kind: "text/javascript; charset=utf-8", digest: "49f663ad6d206c1b", bytes: include_bytes!("assets/stage-chart-DVrYiLn7.js") },
    File { path: "assets/where-DB9gRoYE.js", kind: "text/javascript; charset=utf-8", digest: "a361b627730709d6", bytes: include_bytes!("assets/where-DB9gRoYE.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "a1a36f3f931e120b", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "63eb869196cc1329", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
