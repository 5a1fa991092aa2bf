// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-CA8KpYnX.js", kind: "text/javascript; charset=utf-8", digest: "41d6c88cda490eb1", bytes: include_bytes!("assets/embed-CA8KpYnX.js") },
    File { path: "assets/main-DCJ-att4.js", kind: "text/javascript; charset=utf-8", digest: "162512ebcae2adb7", bytes: include_bytes!("assets/main-DCJ-att4.js") },
    File { path: "assets/stage-chart-BBTfs5bW.js", kind: "text/javascript; charset=utf-8", digest: "263379fa1de11197", bytes: include_bytes!("assets/stage-chart-BBTfs5bW.js") },
    File { path: "assets/stage-chart-Bltczoqt.css", kind: "text/css; charset=utf-8", digest: "c2505f93dd4d2d36", bytes: include_bytes!("assets/stage-chart-Bltczoqt.css") },
    File { path: "assets/where-DTpENjA_.js", kind: "text/javascript; charset=utf-8", digest: "2f2b65e4e594ab56", bytes: include_bytes!("assets/where-DTpENjA_.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "e6b61caa213f4c6c", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "8feb3175e89d62a1", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
