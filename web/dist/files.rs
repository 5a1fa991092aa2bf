// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-B1MXI0Hx.js", kind: "text/javascript; charset=utf-8", digest: "8c7a5a98710812f1", bytes: include_bytes!("assets/embed-B1MXI0Hx.js") },
    File { path: "assets/main-Bcb7sHu9.js", kind: "text/javascript; charset=utf-8", digest: "945c5f2ece7aad17", bytes: include_bytes!("assets/main-Bcb7sHu9.js") },
    File { path: "assets/stage-chart-DCEnr30j.js", kind: "text/javascript; charset=utf-8", digest: "e804e96f3c852cbd", bytes: include_bytes!("assets/stage-chart-DCEnr30j.js") },
    File { path: "assets/stage-chart-MiLSuSsS.css", kind: "text/css; charset=utf-8", digest: "bbbc2764f4c72ea2", bytes: include_bytes!("assets/stage-chart-MiLSuSsS.css") },
    File { path: "assets/where-D86n_Spy.js", kind: "text/javascript; charset=utf-8", digest: "f138624a001cd471", bytes: include_bytes!("assets/where-D86n_Spy.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "3706e4ab49a50c98", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "380cbcd23bb75423", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
