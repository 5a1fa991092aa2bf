// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-Dk5d1PeS.js", kind: "text/javascript; charset=utf-8", digest: "eda25239541be02a", bytes: include_bytes!("assets/controls-Dk5d1PeS.js") },
    File { path: "assets/embed-Do-ph3dR.js", kind: "text/javascript; charset=utf-8", digest: "ceab2459b3cd90de", bytes: include_bytes!("assets/embed-Do-ph3dR.js") },
    File { path: "assets/main-BT6bTRjg.js", kind: "text/javascript; charset=utf-8", digest: "350aa4781d4d90fa", bytes: include_bytes!("assets/main-BT6bTRjg.js") },
    File { path: "assets/method-Boybv3AZ.js", kind: "text/javascript; charset=utf-8", digest: "72c33d10fa917baf", bytes: include_bytes!("assets/method-Boybv3AZ.js") },
    File { path: "assets/stage-chart-D5dE9Ye_.js", kind: "text/javascript; charset=utf-8", digest: "8bc31f2954f67873", bytes: include_bytes!("assets/stage-chart-D5dE9Ye_.js") },
    File { path: "assets/stage-chart-DRVTbrw4.css", kind: "text/css; charset=utf-8", digest: "cd297cf14311b5de", bytes: include_bytes!("assets/stage-chart-DRVTbrw4.css") },
    File { path: "assets/where-Jb3m-YvK.js", kind: "text/javascript; charset=utf-8", digest: "a8fb22020eef20a3", bytes: include_bytes!("assets/where-Jb3m-YvK.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "9dc822a5dfc7ec30", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "12a6c69ec3ed4792", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
