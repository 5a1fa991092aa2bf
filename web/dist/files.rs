// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-p9HYmIYN.js", kind: "text/javascript; charset=utf-8", digest: "cdc52da3bf9e18a6", bytes: include_bytes!("assets/controls-p9HYmIYN.js") },
    File { path: "assets/embed-bShH270h.js", kind: "text/javascript; charset=utf-8", digest: "859e302c082fab0b", bytes: include_bytes!("assets/embed-bShH270h.js") },
    File { path: "assets/main-DelVgfXE.js", kind: "text/javascript; charset=utf-8", digest: "08a1218b99df00d4", bytes: include_bytes!("assets/main-DelVgfXE.js") },
    File { path: "assets/method-CAiLHa3o.js", kind: "text/javascript; charset=utf-8", digest: "03c9c262ccf0e7d5", bytes: include_bytes!("assets/method-CAiLHa3o.js") },
    File { path: "assets/stage-chart-D4ubnwIJ.css", kind: "text/css; charset=utf-8", digest: "24ee770f2b11562f", bytes: include_bytes!("assets/stage-chart-D4ubnwIJ.css") },
    File { path: "assets/stage-chart-DfaTVdLV.js", kind: "text/javascript; charset=utf-8", digest: "2ff646a022bc3a9a", bytes: include_bytes!("assets/stage-chart-DfaTVdLV.js") },
    File { path: "assets/where-_FOGVon0.js", kind: "text/javascript; charset=utf-8", digest: "eac552744c14680f", bytes: include_bytes!("assets/where-_FOGVon0.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "2969639b6f207459", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "3cb61b2ab5bc8d75", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
