// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-Dle7WQCc.js", kind: "text/javascript; charset=utf-8", digest: "190b1756ae257a81", bytes: include_bytes!("assets/dom-Dle7WQCc.js") },
    File { path: "assets/embed-Cu0DL1yD.js", kind: "text/javascript; charset=utf-8", digest: "71aef7f24e6edf5b", bytes: include_bytes!("assets/embed-Cu0DL1yD.js") },
    File { path: "assets/main-CH34oWII.js", kind: "text/javascript; charset=utf-8", digest: "c39269f52f70ed3e", bytes: include_bytes!("assets/main-CH34oWII.js") },
    File { path: "assets/method-DLmj3U-e.js", kind: "text/javascript; charset=utf-8", digest: "65dc04d09145b313", bytes: include_bytes!("assets/method-DLmj3U-e.js") },
    File { path: "assets/stage-chart-2GPZXQap.js", kind: "text/javascript; charset=utf-8", digest: "0b8bb2b5693f1744", bytes: include_bytes!("assets/stage-chart-2GPZXQap.js") },
    File { path: "assets/stage-chart-B_sgGKWT.css", kind: "text/css; charset=utf-8", digest: "47f9226bf8ef1e5e", bytes: include_bytes!("assets/stage-chart-B_sgGKWT.css") },
    File { path: "assets/where-oR9jfTgP.js", kind: "text/javascript; charset=utf-8", digest: "aefbe951a34e1fec", bytes: include_bytes!("assets/where-oR9jfTgP.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "a6e5a27a8cc91f59", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "919191865e45af8a", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
