// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-CHvFMUjW.js", kind: "text/javascript; charset=utf-8", digest: "33beb2cdcfa34fe8", bytes: include_bytes!("assets/embed-CHvFMUjW.js") },
    File { path: "assets/main-CasQppQ7.js", kind: "text/javascript; charset=utf-8", digest: "4a37ae259ae2fd85", bytes: include_bytes!("assets/main-CasQppQ7.js") },
    File { path: "assets/stage-chart-BA6BcJth.css", kind: "text/css; charset=utf-8", digest: "c327a4ccc7426db4", bytes: include_bytes!("assets/stage-chart-BA6BcJth.css") },
    File { path: "assets/stage-chart-DvL2b5TG.js", kind: "text/javascript; charset=utf-8", digest: "9331c774a8eef139", bytes: include_bytes!("assets/stage-chart-DvL2b5TG.js") },
    File { path: "assets/where-gimL8jNQ.js", kind: "text/javascript; charset=utf-8", digest: "628466b8f1bb2124", bytes: include_bytes!("assets/where-gimL8jNQ.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "a713eff482bdc362", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "7afa3c336a604c8c", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
