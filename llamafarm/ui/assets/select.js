// The follow-up has gone: what is typed next takes its place.
() => document.querySelector("#prompt textarea").select()
