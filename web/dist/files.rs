// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-fXEXWZbs.js", kind: "text/javascript; charset=utf-8", digest: "33060545d855bc40", bytes: include_bytes!("assets/embed-fXEXWZbs.js") },
    File { path: "assets/main-BrdIoWmV.js", kind: "text/javascript; charset=utf-8", digest: "0cd9e778d3008b39", bytes: include_bytes!("assets/main-BrdIoWmV.js") },
    File { path: "assets/stage-chart-CUN_U5IV.css", kind: "text/css; charset=utf-8", digest: "8b664b892071bd84", bytes: include_bytes!("assets/stage-chart-CUN_U5IV.css") },
    File { path: "assets/stage-chart-McLhK9_o.js", kind: "text/javascript; charset=utf-8", digest: "3394f8609246c61f", bytes: include_bytes!("assets/stage-chart-McLhK9_o.js") },
    File { path: "assets/where-CsehOTSF.js", kind: "text/javascript; charset=utf-8", digest: "b7e68a341f466c79", bytes: include_bytes!("assets/where-CsehOTSF.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "622e25dc9215df88", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "410afc9c6add8ce6", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
