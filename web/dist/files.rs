// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-CP_uN_wq.js", kind: "text/javascript; charset=utf-8", digest: "a146d2bb014b5c3c", bytes: include_bytes!("assets/dom-CP_uN_wq.js") },
    File { path: "assets/embed-BWwAxwzG.js", kind: "text/javascript; charset=utf-8", digest: "25f38d2e3c42fd7d", bytes: include_bytes!("assets/embed-BWwAxwzG.js") },
    File { path: "assets/main-HTmoiR-o.js", kind: "text/javascript; charset=utf-8", digest: "933b5c2087ab581b", bytes: include_bytes!("assets/main-HTmoiR-o.js") },
    File { path: "assets/method-BVJBGaQs.js", kind: "text/javascript; charset=utf-8", digest: "c372a36d13ebd428", bytes: include_bytes!("assets/method-BVJBGaQs.js") },
    File { path: "assets/stage-chart-B1-j-dKU.js", kind: "text/javascript; charset=utf-8", digest: "301b8f980e4dc709", bytes: include_bytes!("assets/stage-chart-B1-j-dKU.js") },
    File { path: "assets/stage-chart-CXbhXBnM.css", kind: "text/css; charset=utf-8", digest: "783376ff10a9adbb", bytes: include_bytes!("assets/stage-chart-CXbhXBnM.css") },
    File { path: "assets/where-DrQe0jA1.js", kind: "text/javascript; charset=utf-8", digest: "69aeeacc5d14ef4e", bytes: include_bytes!("assets/where-DrQe0jA1.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "8ba80a9d520c59b9", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "c0409a49e3b89e18", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
