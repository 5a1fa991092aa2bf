// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-ByFvZPhO.js", kind: "text/javascript; charset=utf-8", digest: "90d712119d58ab56", bytes: include_bytes!("assets/embed-ByFvZPhO.js") },
    File { path: "assets/main-C52NMHY7.js", kind: "text/javascript; charset=utf-8", digest: "8e8b846cba64a9c8", bytes: include_bytes!("assets/main-C52NMHY7.js") },
    File { path: "assets/stage-chart-DsK4l_j-.js", kind: "text/javascript; charset=utf-8", digest: "80d27f75c52e5dc9", bytes: include_bytes!("assets/stage-chart-DsK4l_j-.js") },
    File { path: "assets/stage-chart-MQZ0kYFk.css", kind: "text/css; charset=utf-8", digest: "a6c73be1f86c2493", bytes: include_bytes!("assets/stage-chart-MQZ0kYFk.css") },
    File { path: "assets/where-CVX3svLf.js", kind: "text/javascript; charset=utf-8", digest: "da07b5f5c5b76dff", bytes: include_bytes!("assets/where-CVX3svLf.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "5436eecf78a9b190", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "e4577fa1e424974e", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
