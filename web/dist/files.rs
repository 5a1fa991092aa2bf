// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-BW0CxJz_.js", kind: "text/javascript; charset=utf-8", digest: "7fa6d6ee14a2ddc0", bytes: include_bytes!("assets/embed-BW0CxJz_.js") },
    File { path: "assets/main-BWjUZwAu.js", kind: "text/javascript; charset=utf-8", digest: "edd44fa6564b4509", bytes: include_bytes!("assets/main-BWjUZwAu.js") },
    File { path: "assets/stage-chart-BalipH5n.js", kind: "text/javascript; charset=utf-8", digest: "fb2531e3a9248988", bytes: include_bytes!("assets/stage-chart-BalipH5n.js") },
    File { path: "assets/stage-chart-CZ8LHZ3z.css", kind: "text/css; charset=utf-8", digest: "6d687357e5b906d5", bytes: include_bytes!("assets/stage-chart-CZ8LHZ3z.css") },
    File { path: "assets/where-BVTx2WEF.js", kind: "text/javascript; charset=utf-8", digest: "0c9488b189761530", bytes: include_bytes!("assets/where-BVTx2WEF.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "92afcb6aeaa1f523", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "b865e35b3764500b", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
