// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B8rMdSNw.js", kind: "text/javascript; charset=utf-8", digest: "79fbd3680c3a78fb", bytes: include_bytes!("assets/dom-B8rMdSNw.js") },
    File { path: "assets/embed-BH7Apytr.js", kind: "text/javascript; charset=utf-8", digest: "e738be68b570d6a9", bytes: include_bytes!("assets/embed-BH7Apytr.js") },
    File { path: "assets/main-DK6mMQvT.js", kind: "text/javascript; charset=utf-8", digest: "42faa4c1627c3f34", bytes: include_bytes!("assets/main-DK6mMQvT.js") },
    File { path: "assets/method-B16MWE-X.js", kind: "text/javascript; charset=utf-8", digest: "d82a106e44d17478", bytes: include_bytes!("assets/method-B16MWE-X.js") },
    File { path: "assets/stage-chart-BCCZ6vpe.js", kind: "text/javascript; charset=utf-8", digest: "e9a264978bf39d9d", bytes: include_bytes!("assets/stage-chart-BCCZ6vpe.js") },
    File { path: "assets/stage-chart-UE0qPD2a.css", kind: "text/css; charset=utf-8", digest: "20488463765dcf7a", bytes: include_bytes!("assets/stage-chart-UE0qPD2a.css") },
    File { path: "assets/where-ABEw6OcA.js", kind: "text/javascript; charset=utf-8", digest: "e735e6fafb122b99", bytes: include_bytes!("assets/where-ABEw6OcA.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "3e2dd82025f958d1", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "91885d2501803aa4", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
