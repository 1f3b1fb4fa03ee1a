// The ids of the comparisons that are ticked in the list.
() => [[...document.querySelectorAll("#history-list .lf-tick:checked")].map((box) => box.value)]
