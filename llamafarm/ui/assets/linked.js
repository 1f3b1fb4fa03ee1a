// The comparison that the page's address names: /?comparison=ID
(_, blind) => [new URLSearchParams(location.search).get("comparison") || "", blind]
