// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-Bw9lUZrk.js", kind: "text/javascript; charset=utf-8", digest: "0775f0b3192bd451", bytes: include_bytes!("assets/controls-Bw9lUZrk.js") },
    File { path: "assets/embed-B8IVDrqY.js", kind: "text/javascript; charset=utf-8", digest: "2a49aef1e6389405", bytes: include_bytes!("assets/embed-B8IVDrqY.js") },
    File { path: "assets/main-BzslRS1o.js", kind: "text/javascript; charset=utf-8", digest: "fedd7ecbb3e87b36", bytes: include_bytes!("assets/main-BzslRS1o.js") },
    File { path: "assets/method-BCyzVwr7.js", kind: "text/javascript; charset=utf-8", digest: "86675f9f92261bb5", bytes: include_bytes!("assets/method-BCyzVwr7.js") },
    File { path: "assets/stage-chart-D4ubnwIJ.css", kind: "text/css; charset=utf-8", digest: "24ee770f2b11562f", bytes: include_bytes!("assets/stage-chart-D4ubnwIJ.css") },
    File { path: "assets/stage-chart-qB_pGB6q.js", kind: "text/javascript; charset=utf-8", digest: "e688d7a08258ad7c", bytes: include_bytes!("assets/stage-chart-qB_pGB6q.js") },
    File { path: "assets/where-FxBg-5Kg.js", kind: "text/javascript; charset=utf-8", digest: "57b8a697cfb40081", bytes: include_bytes!("assets/where-FxBg-5Kg.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "7c35b521d6aec2c7", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "5509903939021b87", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
