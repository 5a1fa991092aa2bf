// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-Dle7WQCc.js", kind: "text/javascript; charset=utf-8", digest: "190b1756ae257a81", bytes: include_bytes!("assets/dom-Dle7WQCc.js") },
    File { path: "assets/embed-Bsr1msiT.js", kind: "text/javascript; charset=utf-8", digest: "043a9b3edc1a4ab8", bytes: include_bytes!("assets/embed-Bsr1msiT.js") },
    File { path: "assets/main-DiZrW-Rj.js", kind: "text/javascript; charset=utf-8", digest: "7a836d0fcea7c078", bytes: include_bytes!("assets/main-DiZrW-Rj.js") },
    File { path: "assets/method-BFlzapfO.js", kind: "text/javascript; charset=utf-8", digest: "051d79bd535abbb1", bytes: include_bytes!("assets/method-BFlzapfO.js") },
    File { path: "assets/stage-chart-BYDY1ZYk.css", kind: "text/css; charset=utf-8", digest: "9c109061a5b8c9a8", bytes: include_bytes!("assets/stage-chart-BYDY1ZYk.css") },
    File { path: "assets/stage-chart-C5oCyKoR.js", kind: "text/javascript; charset=utf-8", digest: "0b8bb2b5693f1744", bytes: include_bytes!("assets/stage-chart-C5oCyKoR.js") },
    File { path: "assets/where-BHc-4AnN.js", kind: "text/javascript; charset=utf-8", digest: "50aca0dc94a8fb21", bytes: include_bytes!("assets/where-BHc-4AnN.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "142c2eddf58d8ce2", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "1822af50b8e71026", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
