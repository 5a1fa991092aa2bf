// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-Dk5d1PeS.js", kind: "text/javascript; charset=utf-8", digest: "eda25239541be02a", bytes: include_bytes!("assets/controls-Dk5d1PeS.js") },
    File { path: "assets/embed-D__SOCqw.js", kind: "text/javascript; charset=utf-8", digest: "82d9c8f698b88a3d", bytes: include_bytes!("assets/embed-D__SOCqw.js") },
    File { path: "assets/main-B0rfYD3H.js", kind: "text/javascript; charset=utf-8", digest: "0ac7dc40f55350a1", bytes: include_bytes!("assets/main-B0rfYD3H.js") },
    File { path: "assets/method-Boybv3AZ.js", kind: "text/javascript; charset=utf-8", digest: "72c33d10fa917baf", bytes: include_bytes!("assets/method-Boybv3AZ.js") },
    File { path: "assets/stage-chart-BC7xVyVX.css", kind: "text/css; charset=utf-8", digest: "664bd3451b64e5c5", bytes: include_bytes!("assets/stage-chart-BC7xVyVX.css") },
    File { path: "assets/stage-chart-BvfIhLLt.js", kind: "text/javascript; charset=utf-8", digest: "8bc31f2954f67873", bytes: include_bytes!("assets/stage-chart-BvfIhLLt.js") },
    File { path: "assets/where-CXmkRVRu.js", kind: "text/javascript; charset=utf-8", digest: "354687bb5a6e958b", bytes: include_bytes!("assets/where-CXmkRVRu.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "7bcfd20834339545", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "c5ff36021083662a", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
