// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-CNvqdK4Q.js", kind: "text/javascript; charset=utf-8", digest: "46a74985e34f73e1", bytes: include_bytes!("assets/embed-CNvqdK4Q.js") },
    File { path: "assets/main-BO0MTeS4.js", kind: "text/javascript; charset=utf-8", digest: "4b8d841961a753e1", bytes: include_bytes!("assets/main-BO0MTeS4.js") },
    File { path: "assets/stage-chart-B62neFaB.js", kind: "text/javascript; charset=utf-8", digest: "9904b8d697a46d69", bytes: include_bytes!("assets/stage-chart-B62neFaB.js") },
    File { path: "assets/stage-chart-BljHI4Cr.css", kind: "text/css; charset=utf-8", digest: "f65c0be72f385af1", bytes: include_bytes!("assets/stage-chart-BljHI4Cr.css") },
    File { path: "assets/where-CqATijD8.js", kind: "text/javascript; charset=utf-8", digest: "58453060d5c8b53a", bytes: include_bytes!("assets/where-CqATijD8.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "3ae6e6531aa2f427", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "c0cd035ce7116550", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
