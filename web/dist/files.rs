// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-BW0CjNr8.js", kind: "text/javascript; charset=utf-8", digest: "c6f232ae0f5abbf2", bytes: include_bytes!("assets/controls-BW0CjNr8.js") },
    File { path: "assets/embed-DChLbpWz.js", kind: "text/javascript; charset=utf-8", digest: "66920361a4af2c59", bytes: include_bytes!("assets/embed-DChLbpWz.js") },
    File { path: "assets/main-DF0SOSgO.js", kind: "text/javascript; charset=utf-8", digest: "0f74b30590e998aa", bytes: include_bytes!("assets/main-DF0SOSgO.js") },
    File { path: "assets/method-DbIR3Ab2.js", kind: "text/javascript; charset=utf-8", digest: "af664be7ba01c845", bytes: include_bytes!("assets/method-DbIR3Ab2.js") },
    File { path: "assets/stage-chart-6-yJY35C.css", kind: "text/css; charset=utf-8", digest: "3e6806b58df64c35", bytes: include_bytes!("assets/stage-chart-6-yJY35C.css") },
    File { path: "assets/stage-chart-BaPdrcJU.js", kind: "text/javascript; charset=utf-8", digest: "caf96d5de152885e", bytes: include_bytes!("assets/stage-chart-BaPdrcJU.js") },
    File { path: "assets/where-BPuND6SN.js", kind: "text/javascript; charset=utf-8", digest: "0b0d39568b6be22c", bytes: include_bytes!("assets/where-BPuND6SN.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "137f706f3d6c2b94", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "879ad1b19921ebd4", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
