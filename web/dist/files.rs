// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-C9v2kQwP.js", kind: "text/javascript; charset=utf-8", digest: "e95c2fe0a2af321d", bytes: include_bytes!("assets/embed-C9v2kQwP.js") },
    File { path: "assets/main-DRhqKSk1.js", kind: "text/javascript; charset=utf-8", digest: "37b149ee54132d30", bytes: include_bytes!("assets/main-DRhqKSk1.js") },
    File { path: "assets/stage-chart-DN-wnp2Y.css", kind: "text/css; charset=utf-8", digest: "2851d68d3a385970", bytes: include_bytes!("assets/stage-chart-DN-wnp2Y.css") },
    File { path: "assets/stage-chart-ZVLhIWp_.js", kind: "text/javascript; charset=utf-8", digest: "b978405926aded02", bytes: include_bytes!("assets/stage-chart-ZVLhIWp_.js") },
    File { path: "assets/where-BHtJXAqR.js", kind: "text/javascript; charset=utf-8", digest: "2496b92f31cd56c1", bytes: include_bytes!("assets/where-BHtJXAqR.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "f8e5d48d17531868", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "2250081e6a98fa24", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
