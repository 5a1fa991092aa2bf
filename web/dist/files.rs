// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-DeO8k_5X.js", kind: "text/javascript; charset=utf-8", digest: "6d2bd488b2da26d6", bytes: include_bytes!("assets/controls-DeO8k_5X.js") },
    File { path: "assets/embed-DZZae72-.js", kind: "text/javascript; charset=utf-8", digest: "2cfee28f6fb693d9", bytes: include_bytes!("assets/embed-DZZae72-.js") },
    File { path: "assets/main-DuJ1fs4x.js", kind: "text/javascript; charset=utf-8", digest: "25c7035c829ac6b9", bytes: include_bytes!("assets/main-DuJ1fs4x.js") },
    File { path: "assets/method-DfawuPi8.js", kind: "text/javascript; charset=utf-8", digest: "f4cc27fc1ab4d0d0", bytes: include_bytes!("assets/method-DfawuPi8.js") },
    File { path: "assets/stage-chart-BhIAhPWF.css", kind: "text/css; charset=utf-8", digest: "956fbe129a199964", bytes: include_bytes!("assets/stage-chart-BhIAhPWF.css") },
    File { path: "assets/stage-chart-DBO9i8W8.js", kind: "text/javascript; charset=utf-8", digest: "978b89929d0687ec", bytes: include_bytes!("assets/stage-chart-DBO9i8W8.js") },
    File { path: "assets/where-DNyU_SfI.js", kind: "text/javascript; charset=utf-8", digest: "5588b33965508978", bytes: include_bytes!("assets/where-DNyU_SfI.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "c92f1a1e6a77aa99", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "3e2655080e227374", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
