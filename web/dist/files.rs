// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-BABo1TP3.js", kind: "text/javascript; charset=utf-8", digest: "1ea2a2116e710aec", bytes: include_bytes!("assets/dom-BABo1TP3.js") },
    File { path: "assets/embed-Dn7tJSgq.js", kind: "text/javascript; charset=utf-8", digest: "4df0a52899d78527", bytes: include_bytes!("assets/embed-Dn7tJSgq.js") },
    File { path: "assets/main-B68fDrqu.js", kind: "text/javascript; charset=utf-8", digest: "2bc4286cc6b58a08", bytes: include_bytes!("assets/main-B68fDrqu.js") },
    File { path: "assets/method-CHP0-MOx.js", kind: "text/javascript; charset=utf-8", digest: "7e83567db33a9616", bytes: include_bytes!("assets/method-CHP0-MOx.js") },
    File { path: "assets/stage-chart-Co4AAXPd.css", kind: "text/css; charset=utf-8", digest: "2eb36e678bc982d5", bytes: include_bytes!("assets/stage-chart-Co4AAXPd.css") },
    File { path: "assets/stage-chart-DTLLENJ0.js", kind: "text/javascript; charset=utf-8", digest: "83f0941c70fb0e0d", bytes: include_bytes!("assets/stage-chart-DTLLENJ0.js") },
    File { path: "assets/where-Cb4NbOTk.js", kind: "text/javascript; charset=utf-8", digest: "13d98fa00a273abd", bytes: include_bytes!("assets/where-Cb4NbOTk.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "b2dc92c7b570f1d8", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "a254a1d0fa7d5346", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
