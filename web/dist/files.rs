// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B8rMdSNw.js", kind: "text/javascript; charset=utf-8", digest: "79fbd3680c3a78fb", bytes: include_bytes!("assets/dom-B8rMdSNw.js") },
    File { path: "assets/embed-DNlg6Psp.js", kind: "text/javascript; charset=utf-8", digest: "d3d561d78e6a1275", bytes: include_bytes!("assets/embed-DNlg6Psp.js") },
    File { path: "assets/main-BOOz82gp.js", kind: "text/javascript; charset=utf-8", digest: "e4350b5c17023ca9", bytes: include_bytes!("assets/main-BOOz82gp.js") },
    File { path: "assets/method-07-Py8NC.js", kind: "text/javascript; charset=utf-8", digest: "21cbaaa1b148c6be", bytes: include_bytes!("assets/method-07-Py8NC.js") },
    File { path: "assets/stage-chart-BgW-_SP9.css", kind: "text/css; charset=utf-8", digest: "7b39bb6af4c5712e", bytes: include_bytes!("assets/stage-chart-BgW-_SP9.css") },
    File { path: "assets/stage-chart-CqBD-e95.js", kind: "text/javascript; charset=utf-8", digest: "9b340ebbf5e62a33", bytes: include_bytes!("assets/stage-chart-CqBD-e95.js") },
    File { path: "assets/where-CtFoG5Ag.js", kind: "text/javascript; charset=utf-8", digest: "431f2a7662ad1ff7", bytes: include_bytes!("assets/where-CtFoG5Ag.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "d6c75d4cbfd71282", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "9336bd5377ac0cb5", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
