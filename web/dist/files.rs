// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-W3rEjpUP.js", kind: "text/javascript; charset=utf-8", digest: "6798da54bb8c51c2", bytes: include_bytes!("assets/controls-W3rEjpUP.js") },
    File { path: "assets/embed-DrSGJtim.js", kind: "text/javascript; charset=utf-8", digest: "14f3079bc765ae50", bytes: include_bytes!("assets/embed-DrSGJtim.js") },
    File { path: "assets/main-Cd8-x4Zr.js", kind: "text/javascript; charset=utf-8", digest: "4c92041f5ae4d222", bytes: include_bytes!("assets/main-Cd8-x4Zr.js") },
    File { path: "assets/method-CAKF4KE-.js", kind: "text/javascript; charset=utf-8", digest: "004294e90481c7d5", bytes: include_bytes!("assets/method-CAKF4KE-.js") },
    File { path: "assets/stage-chart-Bn4WgBR7.js", kind: "text/javascript; charset=utf-8", digest: "3134bbc717feb3a9", bytes: include_bytes!("assets/stage-chart-Bn4WgBR7.js") },
    File { path: "assets/stage-chart-DfajDltB.css", kind: "text/css; charset=utf-8", digest: "720cc7ce5dc2fc2d", bytes: include_bytes!("assets/stage-chart-DfajDltB.css") },
    File { path: "assets/where-DuLDIbx1.js", kind: "text/javascript; charset=utf-8", digest: "3d20b58ec2f37c70", bytes: include_bytes!("assets/where-DuLDIbx1.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "e0444a30f87698db", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "a35c8a999e9e19e8", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
