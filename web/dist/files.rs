// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B-k4bzmR.js", kind: "text/javascript; charset=utf-8", digest: "69a6a9469651ff11", bytes: include_bytes!("assets/dom-B-k4bzmR.js") },
    File { path: "assets/embed-D8XZSPPR.js", kind: "text/javascript; charset=utf-8", digest: "ddcae093ddf65203", bytes: include_bytes!("assets/embed-D8XZSPPR.js") },
    File { path: "assets/main-Cjhwii55.js", kind: "text/javascript; charset=utf-8", digest: "c4c99d75772750d5", bytes: include_bytes!("assets/main-Cjhwii55.js") },
    File { path: "assets/method-BmZ3hhyr.js", kind: "text/javascript; charset=utf-8", digest: "3890e239ef956675", bytes: include_bytes!("assets/method-BmZ3hhyr.js") },
    File { path: "assets/stage-chart-CBrDYD36.js", kind: "text/javascript; charset=utf-8", digest: "42289e41373fd758", bytes: include_bytes!("assets/stage-chart-CBrDYD36.js") },
    File { path: "assets/stage-chart-Co4AAXPd.css", kind: "text/css; charset=utf-8", digest: "2eb36e678bc982d5", bytes: include_bytes!("assets/stage-chart-Co4AAXPd.css") },
    File { path: "assets/where-Qb5UmcR4.js", kind: "text/javascript; charset=utf-8", digest: "3c0c5e8f4fee8674", bytes: include_bytes!("assets/where-Qb5UmcR4.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "002204c544b92206", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "2d562caf3b46e605", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
