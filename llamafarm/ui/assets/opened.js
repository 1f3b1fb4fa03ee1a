// What was opened stands below the list: bring it into sight.
() => document.querySelector("#history-opened .lf-opened")?.scrollIntoView({ block: "start" })
