// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-B0UEHNqu.js", kind: "text/javascript; charset=utf-8", digest: "e36663c22bcd2e29", bytes: include_bytes!("assets/embed-B0UEHNqu.js") },
    File { path: "assets/main-r6mpDvRO.js", kind: "text/javascript; charset=utf-8", digest: "c54e1278d5118b40", bytes: include_bytes!("assets/main-r6mpDvRO.js") },
    File { path: "assets/stage-chart-6IVIAfxD.css", kind: "text/css; charset=utf-8", digest: "a982e48ebabe39ad", bytes: include_bytes!("assets/stage-chart-6IVIAfxD.css") },
    File { path: "assets/stage-chart-D0-shFSj.js", kind: "text/javascript; charset=utf-8", digest: "263379fa1de11197", bytes: include_bytes!("assets/stage-chart-D0-shFSj.js") },
    File { path: "assets/where-BNMrabus.js", kind: "text/javascript; charset=utf-8", digest: "149f7021efaee0fd", bytes: include_bytes!("assets/where-BNMrabus.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "b3bb2a1b33e9f5df", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "4438170f64d44aa0", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
