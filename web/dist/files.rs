// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-5wZlWyb7.js", kind: "text/javascript; charset=utf-8", digest: "e4140b33f3c71d28", bytes: include_bytes!("assets/dom-5wZlWyb7.js") },
    File { path: "assets/embed-Coq_Tbzv.js", kind: "text/javascript; charset=utf-8", digest: "65128bc912f8ce0c", bytes: include_bytes!("assets/embed-Coq_Tbzv.js") },
    File { path: "assets/main-DDd3fj_a.js", kind: "text/javascript; charset=utf-8", digest: "b5c2a320d55d6efd", bytes: include_bytes!("assets/main-DDd3fj_a.js") },
    File { path: "assets/method-C13ex9mU.js", kind: "text/javascript; charset=utf-8", digest: "deff1d5dcd610df0", bytes: include_bytes!("assets/method-C13ex9mU.js") },
    File { path: "assets/stage-chart-Co4AAXPd.css", kind: "text/css; charset=utf-8", digest: "2eb36e678bc982d5", bytes: include_bytes!("assets/stage-chart-Co4AAXPd.css") },
    File { path: "assets/stage-chart-DnjTLJ1f.js", kind: "text/javascript; charset=utf-8", digest: "c1a280ca13b474f4", bytes: include_bytes!("assets/stage-chart-DnjTLJ1f.js") },
    File { path: "assets/where-CKXUtkDG.js", kind: "text/javascript; charset=utf-8", digest: "0e25bee98085aba5", bytes: include_bytes!("assets/where-CKXUtkDG.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "e9b7ead239208fd2", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "30ce9ecab50f2ff3", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
