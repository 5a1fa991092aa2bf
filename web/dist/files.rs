// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-BH3u7dgD.js", kind: "text/javascript; charset=utf-8", digest: "c8938e73b84242af", bytes: include_bytes!("assets/embed-BH3u7dgD.js") },
    File { path: "assets/main-D5YabCPc.js", kind: "text/javascript; charset=utf-8", digest: "3e09e72e198d6d2b", bytes: include_bytes!("assets/main-D5YabCPc.js") },
    File { path: "assets/stage-chart-CSttwj3j.css", kind: "text/css; charset=utf-8", digest: "9179fd06537303ad", bytes: include_bytes!("assets/stage-chart-CSttwj3j.css") },
    File { path: "assets/stage-chart-D0fAhLSH.js", kind: "text/javascript; charset=utf-8", digest: "1c126b6fe6d71403", bytes: include_bytes!("assets/stage-chart-D0fAhLSH.js") },
    File { path: "assets/where-DmQ8luwh.js", kind: "text/javascript; charset=utf-8", digest: "ac788b77f7ade9b4", bytes: include_bytes!("assets/where-DmQ8luwh.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "49bfd9b22f4120f9", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "285c28f01abea38f", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
