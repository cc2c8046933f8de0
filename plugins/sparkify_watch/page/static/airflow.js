// In the frame of Airflow's page a link to Airflow is followed by Airflow's page, not within the frame.
"use strict";

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || window.parent === window) {
    return;
  }
  event.preventDefault();
  // The frame may not send its parent elsewhere; a link of the parent's own document may.
  const outside = window.parent.document;
  const own = outside.createElement("a");
  own.href = link.href;
  outside.body.append(own);
  own.click();
  own.remove();
});
