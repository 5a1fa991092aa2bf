// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-Dk5d1PeS.js", kind: "text/javascript; charset=utf-8", digest: "eda25239541be02a", bytes: include_bytes!("assets/controls-Dk5d1PeS.js") },
    File { path: "assets/embed-DwXAScEu.js", kind: "text/javascript; charset=utf-8", digest: "35b345712153dff4", bytes: include_bytes!("assets/embed-DwXAScEu.js") },
    File { path: "assets/main-C3JGo-_T.js", kind: "text/javascript; charset=utf-8", digest: "77af31c72eced157", bytes: include_bytes!("assets/main-C3JGo-_T.js") },
    File { path: "assets/method-Boybv3AZ.js", kind: "text/javascript; charset=utf-8", digest: "72c33d10fa917baf", bytes: include_bytes!("assets/method-Boybv3AZ.js") },
    File { path: "assets/stage-chart-DitmPu73.js", kind: "text/javascript; charset=utf-8", digest: "8bc31f2954f67873", bytes: include_bytes!("assets/stage-chart-DitmPu73.js") },
    File { path: "assets/stage-chart-V-oec2jV.css", kind: "text/css; charset=utf-8", digest: "1651cc6d43592c1d", bytes: include_bytes!("assets/stage-chart-V-oec2jV.css") },
    File { path: "assets/where-8ioU3Lah.js", kind: "text/javascript; charset=utf-8", digest: "569c36a2e363d952", bytes: include_bytes!("assets/where-8ioU3Lah.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "497484113d6beb08", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "a91d18f0c32a24c3", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
