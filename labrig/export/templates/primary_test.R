# Recomputes the primary test of a labrig run from primary_wells.csv and compares it with what
# labrig found (primary_found.csv). Wells are averaged to units, units to donors, as logarithms.
#
#   Rscript primary_test.R [folder]
#
# Base R; a mixed model also needs lme4, lmerTest and pbkrtest. Exit status: 0 all agree, 1 not.

folder <- if (length(commandArgs(TRUE))) commandArgs(TRUE)[1] else "."
table_of <- function(name) {
  read.csv(file.path(folder, name), fileEncoding = "UTF-8-BOM", stringsAsFactors = FALSE,
           colClasses = c(run = "character", arm = "character"))
}
wells <- table_of("primary_wells.csv")
found <- table_of("primary_found.csv")

# One row per unit: the mean of its wells' logarithms.
units_of <- function(w) {
  first <- function(column) tapply(w[[column]], w$row, function(x) x[1])
  data.frame(arm = as.vector(first("arm")), donor = as.vector(first("donor")),
             random = as.vector(first("random")),
             y = as.vector(tapply(w$log_value, w$row, mean)),
             x = as.vector(tapply(w$log_baseline, w$row, mean)), stringsAsFactors = FALSE)
}

# One row per donor and arm: the mean of its units.
donors_of <- function(u) {
  cell <- paste(u$donor, u$arm, sep = "\r")
  first <- function(column) as.vector(tapply(u[[column]], cell, function(x) x[1]))
  data.frame(arm = first("arm"), donor = first("donor"), y = as.vector(tapply(u$y, cell, mean)),
             x = as.vector(tapply(u$x, cell, mean)), stringsAsFactors = FALSE)
}

# The terms on the right of a model: arm, donors where there are several, the baseline if asked.
terms_of <- function(d, blocks, adjusted) {
  parts <- "arm"
  if (blocks && length(unique(d$donor)) > 1) parts <- c(parts, "donor")
  if (adjusted) parts <- c(parts, "x")
  parts
}

contrast_of <- function(names, arm, against) {
  weights <- setNames(numeric(length(names)), names)
  if (paste0("arm", arm) %in% names) weights[paste0("arm", arm)] <- 1
  if (paste0("arm", against) %in% names) weights[paste0("arm", against)] <- -1
  weights
}

by_lm <- function(d, wanted, blocks, adjusted) {
  model <- lm(reformulate(terms_of(d, blocks, adjusted), "y"), d)
  t(sapply(seq_len(nrow(wanted)), function(i) {
    weights <- contrast_of(names(coef(model)), wanted$arm[i], wanted$against[i])
    error <- sqrt(drop(weights %*% vcov(model) %*% weights))
    estimate <- sum(weights * coef(model))
    df <- df.residual(model)
    c(estimate, error, df, 2 * pt(-abs(estimate / error), df))
  }))
}

by_lmer <- function(d, wanted, adjusted) {
  for (package in c("lme4", "lmerTest", "pbkrtest")) {
    if (!requireNamespace(package, quietly = TRUE)) {
      stop("this test is a mixed model and needs the package ", package, call. = FALSE)
    }
  }
  levels <- do.call(rbind, strsplit(d$random, "|", fixed = TRUE))
  for (k in seq_len(ncol(levels))) d[[paste0("g", k)]] <- factor(levels[, k])
  fit <- function(terms) {
    suppressMessages(lmerTest::lmer(
      reformulate(c(terms_of(d, TRUE, adjusted), paste0("(1 | ", terms, ")")), "y"), d, REML = TRUE,
      control = lme4::lmerControl(optCtrl = list(xtol_rel = 1e-10, ftol_abs = 1e-12))))
  }
  # A component that is estimated as nothing is left out, as labrig does: Kenward and Roger's degrees
  # of freedom are not defined at that boundary.
  terms <- paste0("g", seq_len(ncol(levels)))
  repeat {
    model <- fit(terms)
    spread <- sapply(lme4::VarCorr(model)[terms], function(v) attr(v, "stddev"))
    kept <- terms[spread > 1e-4 * sigma(model)]
    if (length(kept) == length(terms)) break
    if (!length(kept)) return(by_lm(d, wanted, TRUE, adjusted))
    terms <- kept
  }
  t(sapply(seq_len(nrow(wanted)), function(i) {
    weights <- contrast_of(names(lme4::fixef(model)), wanted$arm[i], wanted$against[i])
    row <- lmerTest::contest1D(model, weights, ddf = "Kenward-Roger")
    unlist(row[c("Estimate", "Std. Error", "df", "Pr(>|t|)")])
  }))
}

agree <- TRUE
for (family in unique(found$family)) {
  wanted <- found[found$family == family, ]
  units <- units_of(wells[wells$family == family, ])
  adjusted <- wanted$adjusted_for_baseline[1]
  # Two reach by iteration what least squares solves: they are compared less strictly.
  tolerance <- if (wanted$model[1] == "mixed") 2e-3 else 1e-6
  again <- switch(wanted$model[1],
    donors = by_lm(donors_of(units), wanted, TRUE, adjusted),
    units = by_lm(units, wanted, FALSE, adjusted),
    mixed = by_lmer(units, wanted, adjusted))
  for (i in seq_len(nrow(wanted))) {
    labrig <- as.numeric(wanted[i, c("estimate_log", "error_log", "df", "p_two_sided")])
    far <- max(abs(again[i, ] - labrig) / pmax(abs(labrig), 1e-3))
    same <- is.finite(far) && far <= tolerance
    agree <- agree && same
    cat(sprintf("%-8s %s v %s: ratio %.6f (labrig %.6f), df %.4g (%.4g), p %.6g (%.6g)  %s\n",
                wanted$readout[i], wanted$arm[i], wanted$against[i], exp(again[i, 1]),
                wanted$ratio[i], again[i, 3], labrig[3], again[i, 4], labrig[4],
                if (same) "agrees" else "DIFFERS"))
  }
}
if (!nrow(found)) cat("labrig found no primary test in this run: there is nothing to recompute.\n")
quit(status = if (agree) 0 else 1)
