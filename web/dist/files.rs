// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-lC_1TKXg.js", kind: "text/javascript; charset=utf-8", digest: "10b9b55444401e33", bytes: include_bytes!("assets/controls-lC_1TKXg.js") },
    File { path: "assets/embed-BPpIGME5.js", kind: "text/javascript; charset=utf-8", digest: "960adc2201676d1b", bytes: include_bytes!("assets/embed-BPpIGME5.js") },
    File { path: "assets/main-4VR5F_-h.js", kind: "text/javascript; charset=utf-8", digest: "b47f90a1f88fa723", bytes: include_bytes!("assets/main-4VR5F_-h.js") },
    File { path: "assets/method-0CUaVxQm.js", kind: "text/javascript; charset=utf-8", digest: "86a5e49b3d0aa6bd", bytes: include_bytes!("assets/method-0CUaVxQm.js") },
    File { path: "assets/stage-chart-BYBMvdbb.js", kind: "text/javascript; charset=utf-8", digest: "8c226591dc7b25a6", bytes: include_bytes!("assets/stage-chart-BYBMvdbb.js") },
    File { path: "assets/stage-chart-D4ubnwIJ.css", kind: "text/css; charset=utf-8", digest: "24ee770f2b11562f", bytes: include_bytes!("assets/stage-chart-D4ubnwIJ.css") },
    File { path: "assets/where-Bl9T85SO.js", kind: "text/javascript; charset=utf-8", digest: "97d064e090fde0c2", bytes: include_bytes!("assets/where-Bl9T85SO.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "b709face806d0ef4", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "84a81796e0ea0e43", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
