// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-BdH4QtO8.js", kind: "text/javascript; charset=utf-8", digest: "64e43b721f2d1f32", bytes: include_bytes!("assets/embed-BdH4QtO8.js") },
    File { path: "assets/main-Dfk6O6TY.js", kind: "text/javascript; charset=utf-8", digest: "85892bdfe1eaf3f9", bytes: include_bytes!("assets/main-Dfk6O6TY.js") },
    File { path: "assets/stage-chart-B3qwx7NI.css", kind: "text/css; charset=utf-8", digest: "ff23fe7677e58824", bytes: include_bytes!("assets/stage-chart-B3qwx7NI.css") },
    File { path: "assets/stage-chart-CP33hnJp.js", kind: "text/javascript; charset=utf-8", digest: "fb2531e3a9248988", bytes: include_bytes!("assets/stage-chart-CP33hnJp.js") },
    File { path: "assets/where-KvLS1i23.js", kind: "text/javascript; charset=utf-8", digest: "bc3712e89310a6e1", bytes: include_bytes!("assets/where-KvLS1i23.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "5e79d686e433ae67", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "43e98b109a44d53c", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
