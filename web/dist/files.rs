// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-B1MXI0Hx.js", kind: "text/javascript; charset=utf-8", digest: "8c7a5a98710812f1", bytes: include_bytes!("assets/embed-B1MXI0Hx.js") },
    File { path: "assets/main-SvYqcqBJ.js", kind: "text/javascript; charset=utf-8", digest: "a560bfd452331bc2", bytes: include_bytes!("assets/main-SvYqcqBJ.js") },
    File { path: "assets/stage-chart-DCEnr30j.js", kind: "text/javascript; charset=utf-8", digest: "e804e96f3c852cbd", bytes: include_bytes!("assets/stage-chart-DCEnr30j.js") },
    File { path: "assets/stage-chart-MiLSuSsS.css", kind: "text/css; charset=utf-8", digest: "bbbc2764f4c72ea2", bytes: include_bytes!("assets/stage-chart-MiLSuSsS.css") },
    File { path: "assets/where-DJ-8a7E8.js", kind: "text/javascript; charset=utf-8", digest: "d6dda50a165f6296", bytes: include_bytes!("assets/where-DJ-8a7E8.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "3706e4ab49a50c98", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "2001d7ac27d22ca1", bytes: include_bytes!("index.html") },
]
