# Reference values of the statistics, from R. Writes values.csv beside this script.
#
# Run: Rscript benchmarks/oracle/statistics.R
#
# No Debian package of mcr (Deming, Passing-Bablok) exists: these are written out below from the papers ("base R").
#
# Debian: apt-get install r-base-core r-cran-proc r-cran-psych r-cran-epir r-cran-vcd r-cran-coin r-cran-lme4 r-cran-nlme

Sys.setenv(TZ = "UTC")
suppressWarnings(suppressPackageStartupMessages({
  library(pROC)
  library(psych)
  library(epiR)
  library(vcd)
  library(coin)
  library(lme4)
  library(nlme)
}))

rows <- list()

# put(package, prefix, name = value, ...): no named arguments of its own, since R would match p to them.
put <- function(...) {
  given <- list(...)
  package <- given[[1]]
  prefix <- given[[2]]
  values <- unlist(given[-(1:2)])
  version <- if (package == "base R") paste(R.version$major, R.version$minor, sep = ".") else
    as.character(packageVersion(package))
  for (name in names(values)) {
    value <- unname(values[[name]])
    stopifnot(is.numeric(value), length(value) == 1, !is.nan(value))
    rows[[length(rows) + 1]] <<- data.frame(name = paste(prefix, name, sep = "."),
                                            value = sprintf("%.15g", value), package = package, version = version)
  }
}

# ---------------------------------------------------------------- data

# Peak expiratory flow rate, litres/min, 17 subjects. Bland JM, Altman DG. Lancet 1986;i:307-310, table 1, first readings.
wright <- c(494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
mini <- c(512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)

# 6 targets x 4 judges. Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428, table 2.
shrout <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), ncol = 4, byrow = TRUE)

# 8 wines x 4 judges. Example of real-statistics.com (intraclass correlation), also in the tests of pingouin.
wine <- cbind(c(1, 1, 3, 6, 6, 7, 8, 9), c(2, 3, 8, 4, 5, 5, 7, 9), c(0, 3, 1, 3, 5, 6, 7, 9), c(1, 2, 4, 3, 6, 2, 9, 8))

# Water transfer. Hollander M, Wolfe DA. Nonparametric Statistical Methods, 1973, p 69 (help of wilcox.test).
water_x <- c(.80, .83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, .73, 1.46)
water_y <- c(1.15, .88, .90, .74, 1.21)

# Depression, before and after. Hollander & Wolfe 1973, p 29 (help of wilcox.test).
before <- c(1.83, .50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30)
after <- c(.878, .647, .598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29)

# Mucociliary efficiency in three groups. Hollander & Wolfe 1973, p 116 (help of kruskal.test).
muco <- list(c(2.9, 3.0, 2.5, 2.6, 3.2), c(3.8, 2.7, 4.0, 2.4), c(2.8, 3.4, 3.7, 2.2, 2.0))

# Extra sleep, two drugs, 10 patients. Student. Biometrika 1908;6:20 (R: datasets::sleep).
sleep_1 <- c(.7, -1.6, -.2, -1.2, -.1, 3.4, 3.7, .8, 0, 2)
sleep_2 <- c(1.9, .8, 1.1, .1, -.1, 4.4, 5.5, 1.6, 4.6, 3.4)
stopifnot(all.equal(sleep$extra, c(sleep_1, sleep_2)))

# Miles per gallon and weight of 32 cars, manual gears or not. Henderson & Velleman. Biometrics 1981;37:391 (datasets::mtcars).
mpg_automatic <- c(21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2,
                   10.4, 10.4, 14.7, 21.5, 15.5, 15.2, 13.3, 19.2)
mpg_manual <- c(21, 21, 22.8, 32.4, 30.4, 33.9, 27.3, 26, 30.4, 15.8, 19.7, 15, 21.4)
stopifnot(all.equal(mtcars$mpg[mtcars$am == 0], mpg_automatic), all.equal(mtcars$mpg[mtcars$am == 1], mpg_manual))
wt_automatic <- c(3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73,
                  3.78, 5.25, 5.424, 5.345, 2.465, 3.52, 3.435, 3.84, 3.845)
wt_manual <- c(2.62, 2.875, 2.32, 2.2, 1.615, 1.835, 1.935, 2.14, 1.513, 3.17, 2.77, 3.57, 2.78)
stopifnot(all.equal(mtcars$wt[mtcars$am == 0], wt_automatic), all.equal(mtcars$wt[mtcars$am == 1], wt_manual))

# Dried weight of plants. Dobson AJ. An Introduction to Statistical Modelling, 1983 (datasets::PlantGrowth, ctrl and trt2).
plant_control <- c(4.17, 5.58, 5.18, 6.11, 4.5, 4.61, 5.17, 4.53, 5.33, 5.14)
plant_treated <- c(6.31, 5.12, 5.54, 5.5, 5.37, 5.29, 4.92, 6.15, 5.8, 5.26)
stopifnot(all.equal(PlantGrowth$weight[PlantGrowth$group == "ctrl"], plant_control),
          all.equal(PlantGrowth$weight[PlantGrowth$group == "trt2"], plant_treated))

# Diagnoses of two psychiatrists, 200 patients. Cohen J. Psychol Bull 1968;70:213-220 (as counts in the help of psych).
diagnosis <- matrix(c(88, 14, 18, 10, 40, 10, 2, 6, 12), ncol = 3, byrow = TRUE)

# Two pathologists, 118 slides. Landis JR, Koch GG. Biometrics 1977;33:363, after Agresti, Categorical Data Analysis.
pathology <- matrix(c(22, 2, 2, 0, 5, 7, 14, 0, 0, 2, 36, 0, 0, 1, 17, 10), ncol = 4, byrow = TRUE)

# Anscombe FJ. Am Stat 1973;27:17, first set (datasets::anscombe).
anscombe_x <- c(10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5)
anscombe_y <- c(8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68)

# Made up: differences of 12 hips in 8 patients. In the second set the variance between the patients is 0.
patient <- c(1, 1, 2, 2, 3, 4, 4, 5, 6, 6, 7, 8)
hip <- c(.8, 1.1, -.4, -.1, .3, 1.5, 1.2, -.9, .2, .6, -.3, .5)
hip_unrelated <- c(.8, -1.1, -.4, .9, .3, 1.5, -1.2, -.2, -.7, .6, -.3, .5)

# ---------------------------------------------------------------- intraclass correlation

intraclass <- function(name, ratings) {
  result <- psych::ICC(ratings, lmer = FALSE)$results
  for (row in seq_len(nrow(result))) {
    r <- result[row, ]
    put("psych", paste("icc", name, r$type, sep = "."), estimate = r$ICC, low = r[["lower bound"]],
        high = r[["upper bound"]], f = r$F, df1 = r$df1, df2 = r$df2, p = r$p)
  }
}
intraclass("shrout", shrout)
intraclass("wine", wine)
intraclass("pefr", cbind(wright, mini))

# ---------------------------------------------------------------- Lin's concordance

concordance <- function(kind) epi.ccc(wright, mini, ci = kind, conf.level = .95)
z <- concordance("z-transform")
put("epiR", "ccc.pefr", estimate = z$rho.c$est, low = z$rho.c$lower, high = z$rho.c$upper, bias_factor = z$C.b,
    scale_shift = z$s.shift, location_shift = z$l.shift)
plain <- concordance("asymptotic")$rho.c
put("epiR", "ccc.pefr", asymptotic_low = plain$lower, asymptotic_high = plain$upper)

# ---------------------------------------------------------------- regression of two methods

# Deming regression, equal error variances: closed form; standard error by leaving one out; t of n - 2 (Linnet, Clin Chem 1993).
deming <- function(x, y, ratio = 1) {
  sxx <- var(x)
  syy <- var(y)
  sxy <- cov(x, y)
  slope <- (ratio * syy - sxx + sqrt((sxx - ratio * syy)^2 + 4 * ratio * sxy^2)) / (2 * ratio * sxy)
  c(slope = slope, intercept = mean(y) - slope * mean(x))
}
leave_one_out <- function(name, x, y, ratio) {
  n <- length(x)
  full <- deming(x, y, ratio)
  pseudo <- sapply(seq_len(n), function(i) n * full - (n - 1) * deming(x[-i], y[-i], ratio))
  se <- apply(pseudo, 1, sd) / sqrt(n)
  for (part in names(full)) {
    half <- qt(.975, n - 2) * se[[part]]
    put("base R", paste(name, part, sep = "."), estimate = full[[part]], se = se[[part]], low = full[[part]] - half,
        high = full[[part]] + half)
  }
}
leave_one_out("deming.pefr", wright, mini, 1)
# ratio = variance of the error of x / that of y
leave_one_out("deming.pefr_ratio2", wright, mini, 2)

# Passing H, Bablok W. J Clin Chem Clin Biochem 1983;21:709-720, with their rounded ranks.
passing_bablok <- function(name, x, y) {
  n <- length(x)
  pair <- combn(n, 2)
  dx <- x[pair[2, ]] - x[pair[1, ]]
  dy <- y[pair[2, ]] - y[pair[1, ]]
  stopifnot(all(dx != 0), all(dy / dx == -1 | abs(dy / dx + 1) > 1e-6))
  slopes <- sort((dy / dx)[dy / dx != -1])
  count <- length(slopes)
  shift <- sum(slopes < -1)
  slope <- if (count %% 2) slopes[(count + 1) / 2 + shift] else mean(slopes[count / 2 + 0:1 + shift])
  width <- qnorm(.975) * sqrt(n * (n - 1) * (2 * n + 5) / 18)
  first <- round((count - width) / 2)
  last <- count - first + 1
  ends <- slopes[c(first, last) + shift]
  put("base R", name, slopes = count, below_minus_one = shift, rank_low = first, rank_high = last)
  put("base R", paste0(name, ".slope"), estimate = slope, low = ends[1], high = ends[2])
  put("base R", paste0(name, ".intercept"), estimate = median(y - slope * x), low = median(y - ends[2] * x),
      high = median(y - ends[1] * x))
}
passing_bablok("passing_bablok.pefr", wright, mini)
passing_bablok("passing_bablok.anscombe", anscombe_x, anscombe_y)

line <- summary(lm(anscombe_y ~ anscombe_x))$coefficients
put("base R", "lm.anscombe", slope = line[2, 1], intercept = line[1, 1], slope_se = line[2, 2], slope_p = line[2, 4])

# ---------------------------------------------------------------- area under the ROC curve

area <- function(name, controls, cases) {
  curve <- roc(controls = controls, cases = cases, direction = "<", quiet = TRUE)
  interval <- ci.auc(curve, method = "delong")
  put("pROC", paste0("auc.", name), estimate = as.numeric(auc(curve)), se = sqrt(var(curve, method = "delong")),
      low = interval[1], high = interval[3])
  curve
}
invisible(area("water", water_y, water_x))
invisible(area("plant", plant_control, plant_treated))
by_mpg <- area("mtcars_mpg", mpg_automatic, mpg_manual)
by_weight <- area("mtcars_weight", -wt_automatic, -wt_manual)
am <- rep(0:1, c(length(mpg_automatic), length(mpg_manual)))
mpg_curve <- roc(am, c(mpg_automatic, mpg_manual), direction = "<", levels = 0:1, quiet = TRUE)
weight_curve <- roc(am, -c(wt_automatic, wt_manual), direction = "<", levels = 0:1, quiet = TRUE)
compared <- roc.test(weight_curve, mpg_curve, method = "delong", paired = TRUE)
put("pROC", "auc_difference.mtcars_weight_mpg", difference = as.numeric(auc(weight_curve) - auc(mpg_curve)),
    z = compared$statistic[["Z"]], p = compared$p.value,
    covariance = cov(weight_curve, mpg_curve, method = "delong"))

# ---------------------------------------------------------------- kappa

# Standard error of kappa as multinomial delta method with a numerical gradient: a check of the closed form.
delta_method <- function(counts, weights) {
  kappa <- function(p) {
    p <- p / sum(p)
    chance <- sum(weights * rowSums(p) %o% colSums(p))
    (sum(weights * p) - chance) / (1 - chance)
  }
  share <- counts / sum(counts)
  h <- 1e-6
  slope <- sapply(seq_along(share), function(i) {
    up <- down <- share
    up[i] <- up[i] + h
    down[i] <- down[i] - h
    (kappa(up) - kappa(down)) / (2 * h)
  })
  sqrt((sum(share * slope^2) - sum(share * slope)^2) / sum(counts))
}

agreement <- function(name, counts) {
  k <- ncol(counts)
  apart <- abs(outer(seq_len(k), seq_len(k), "-")) / (k - 1)
  weights <- list(linear = 1 - apart, quadratic = 1 - apart^2)
  vcd_names <- c(linear = "Equal-Spacing", quadratic = "Fleiss-Cohen")
  for (kind in names(weights)) {
    k_vcd <- vcd::Kappa(counts, weights = vcd_names[[kind]])
    ends <- confint(k_vcd)
    if (kind == "linear")
      put("vcd", paste("kappa", name, "unweighted", sep = "."), estimate = k_vcd$Unweighted[["value"]],
          se = k_vcd$Unweighted[["ASE"]], low = ends["Unweighted", 1], high = ends["Unweighted", 2])
    put("vcd", paste("kappa", name, kind, sep = "."), estimate = k_vcd$Weighted[["value"]],
        se = k_vcd$Weighted[["ASE"]], low = ends["Weighted", 1], high = ends["Weighted", 2])
    # The standard error of psych 2.2.9 is not kept where there are weights: see README.md.
    k_psych <- psych::cohen.kappa(counts, w = weights[[kind]])
    stopifnot(all.equal(k_psych$weighted.kappa, k_vcd$Weighted[["value"]]),
              all.equal(k_psych$kappa, k_vcd$Unweighted[["value"]]),
              all.equal(sqrt(k_psych$var.kappa), k_vcd$Unweighted[["ASE"]]),
              all.equal(delta_method(counts, weights[[kind]]), k_vcd$Weighted[["ASE"]], tolerance = 1e-6),
              all.equal(delta_method(counts, diag(k)), k_vcd$Unweighted[["ASE"]], tolerance = 1e-6))
  }
}
agreement("diagnosis", diagnosis)
agreement("pathology", pathology)

# ---------------------------------------------------------------- rank tests

tight <- 1e-13
ranks <- function(name, ...) {
  test <- suppressWarnings(wilcox.test(..., tol.root = tight))
  put("base R", name, statistic = unname(test$statistic), p = test$p.value)
  if (!is.null(test$conf.int))
    put("base R", name, estimate = unname(test$estimate), low = test$conf.int[1], high = test$conf.int[2])
}
ranks("mann_whitney.water.exact", water_x, water_y, exact = TRUE, conf.int = TRUE)
ranks("mann_whitney.water.exact_greater", water_x, water_y, exact = TRUE, alternative = "greater")
ranks("mann_whitney.water.normal", water_x, water_y, exact = FALSE, correct = TRUE)
ranks("mann_whitney.water.normal_greater", water_x, water_y, exact = FALSE, correct = TRUE, alternative = "greater")
ranks("mann_whitney.water.normal_uncorrected", water_x, water_y, exact = FALSE, correct = FALSE)
ranks("mann_whitney.sleep.normal", sleep_1, sleep_2, exact = FALSE, correct = TRUE)
ranks("mann_whitney.sleep.normal_uncorrected", sleep_1, sleep_2, exact = FALSE, correct = FALSE)
ranks("signed_rank.depression.exact", before, after, paired = TRUE, exact = TRUE, conf.int = TRUE)
ranks("signed_rank.depression.exact_greater", before, after, paired = TRUE, exact = TRUE, alternative = "greater")
ranks("signed_rank.depression.normal", before, after, paired = TRUE, exact = FALSE, correct = TRUE)
ranks("signed_rank.sleep.normal", sleep_1, sleep_2, paired = TRUE, exact = FALSE, correct = TRUE)
ranks("signed_rank.sleep.normal_uncorrected", sleep_1, sleep_2, paired = TRUE, exact = FALSE, correct = FALSE)

# Exact in spite of ties: all rearrangements.
both <- data.frame(value = c(sleep_1, sleep_2), group = factor(rep(1:2, each = 10)))
put("coin", "mann_whitney.sleep.exact", p = as.numeric(pvalue(coin::wilcox_test(value ~ group, both, distribution = "exact"))))
put("coin", "signed_rank.sleep.exact_pratt",
    p = as.numeric(pvalue(coin::wilcoxsign_test(sleep_1 ~ sleep_2, distribution = "exact", zero.method = "Pratt"))))
put("coin", "signed_rank.sleep.exact_wilcoxon",
    p = as.numeric(pvalue(coin::wilcoxsign_test(sleep_1 ~ sleep_2, distribution = "exact", zero.method = "Wilcoxon"))))

kruskal <- kruskal.test(muco)
put("base R", "kruskal.muco", statistic = unname(kruskal$statistic), df = unname(kruskal$parameter), p = kruskal$p.value)

# ---------------------------------------------------------------- t tests, normality, several tests, proportions

student <- function(name, ...) {
  test <- t.test(...)
  put("base R", name, statistic = unname(test$statistic), df = unname(test$parameter), p = test$p.value,
      low = test$conf.int[1], high = test$conf.int[2])
}
student("t.sleep.paired", sleep_1, sleep_2, paired = TRUE)
student("t.sleep.welch", sleep_1, sleep_2)
student("t.sleep.equal_variances", sleep_1, sleep_2, var.equal = TRUE)

samples <- list(sleep_difference = sleep_1 - sleep_2, pefr_difference = wright - mini, water_x = water_x)
for (set in names(samples)) {
  normal <- shapiro.test(samples[[set]])
  put("base R", paste0("shapiro.", set), statistic = unname(normal$statistic), p = normal$p.value)
}

p_values <- list(even = c(.01, .02, .03, .04, .05), uneven = c(.04, .001, .2, .013, .012, .9))
for (set in names(p_values)) {
  for (method in c("holm", "bonferroni", "BH")) {
    adjusted <- p.adjust(p_values[[set]], method)
    put("base R", paste("adjust", set, tolower(method), sep = "."), setNames(adjusted, seq_along(adjusted)))
  }
}

for (counts in list(c(81, 263), c(0, 20), c(9, 10))) {
  wilson <- prop.test(counts[1], counts[2], correct = FALSE)$conf.int
  exact <- binom.test(counts[1], counts[2])$conf.int
  name <- sprintf("%d_%d", counts[1], counts[2])
  put("base R", paste0("wilson.", name), low = wilson[1], high = wilson[2])
  put("base R", paste0("clopper_pearson.", name), low = exact[1], high = exact[2])
}

# ---------------------------------------------------------------- correlation

pearson <- cor.test(wright, mini)
put("base R", "pearson.pefr", estimate = unname(pearson$estimate), p = pearson$p.value, low = pearson$conf.int[1],
    high = pearson$conf.int[2])
spearman <- cor.test(wright, mini, method = "spearman", exact = FALSE)
put("base R", "spearman.pefr", estimate = unname(spearman$estimate), p = spearman$p.value)
trend <- cor.test(wright - mini, (wright + mini) / 2)
put("base R", "pearson.pefr_difference_mean", estimate = unname(trend$estimate), p = trend$p.value,
    low = trend$conf.int[1], high = trend$conf.int[2])

# ---------------------------------------------------------------- limits of agreement

d <- wright - mini
n <- length(d)
z95 <- qnorm(.975)
center <- t.test(d)
put("base R", "limits.pefr", mean = mean(d), sd = sd(d), mean_low = center$conf.int[1], mean_high = center$conf.int[2])
for (multiplier in c(z = z95, rounded = 1.96)) {
  kind <- if (multiplier == 1.96) "rounded" else "z"
  put("base R", paste0("limits.pefr.", kind), lower = mean(d) - multiplier * sd(d), upper = mean(d) + multiplier * sd(d))
  # Exact: (mean + multiplier sigma - mean of d) sqrt(n) / s has the noncentral t distribution (Carkeet, Optom Vis Sci 2015).
  step <- sd(d) * qt(c(.025, .975), n - 1, ncp = multiplier * sqrt(n)) / sqrt(n)
  put("base R", paste0("limits.pefr.", kind, ".exact"), upper_low = mean(d) + step[1], upper_high = mean(d) + step[2],
      lower_low = mean(d) - step[2], lower_high = mean(d) - step[1])
  for (formula in c("simple", "full")) {
    # simple: sqrt(3 s^2 / n) of Bland & Altman 1986; full: s sqrt(1 / n + multiplier^2 / (2 (n - 1))), 1999
    se <- if (formula == "simple") sd(d) * sqrt(3 / n) else sd(d) * sqrt(1 / n + multiplier^2 / (2 * (n - 1)))
    half <- qt(.975, n - 1) * se
    ends <- mean(d) + c(-1, 1) * multiplier * sd(d)
    put("base R", paste("limits.pefr", kind, formula, sep = "."), se = se, lower_low = ends[1] - half,
        lower_high = ends[1] + half, upper_low = ends[2] - half, upper_high = ends[2] + half)
  }
}

# ---------------------------------------------------------------- equivalence

above <- t.test(d, mu = -25, alternative = "greater")
below <- t.test(d, mu = 25, alternative = "less")
both_ends <- t.test(d, conf.level = .90)$conf.int
put("base R", "tost.pefr_25", t_above_low = unname(above$statistic), p_above_low = above$p.value,
    t_below_high = unname(below$statistic), p_below_high = below$p.value, p = max(above$p.value, below$p.value),
    low90 = both_ends[1], high90 = both_ends[2])

# ---------------------------------------------------------------- patients with two hips

# REML of one mean and one random intercept: root of the score in the ratio of the variances, between to within.
reml <- function(values) {
  same <- outer(patient, patient, "==") * 1
  one <- rep(1, length(values))
  pieces <- function(ratio) {
    inverse <- solve(diag(length(values)) + ratio * same)
    information <- sum(inverse)
    projection <- inverse - (inverse %*% one %*% t(one) %*% inverse) / information
    left <- projection %*% values
    list(mean = sum(inverse %*% values) / information, information = information,
         variance = sum(values * left) / (length(values) - 1), left = left, projection = projection)
  }
  score <- function(ratio) {
    at <- pieces(ratio)
    sum(at$left * (same %*% at$left)) / at$variance - sum(at$projection * same)
  }
  ratio <- if (score(0) <= 0) 0 else uniroot(score, c(0, 1e4), tol = 1e-15, maxiter = 10000)$root
  at <- pieces(ratio)
  c(intercept = at$mean, se = sqrt(at$variance / at$information), sd_between = sqrt(ratio * at$variance),
    sd_within = sqrt(at$variance))
}

mixed <- function(name, values) {
  frame <- data.frame(value = values, patient = factor(patient))
  exact <- reml(values)
  put("base R", paste0("mixed.", name), exact)
  fit <- suppressMessages(lme4::lmer(value ~ 1 + (1 | patient), frame, REML = TRUE,
    control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhobeg = .2, rhoend = 1e-12, maxfun = 1e5))))
  by_lme4 <- c(intercept = lme4::fixef(fit)[[1]], se = sqrt(as.matrix(vcov(fit))[1, 1]),
               sd_between = attr(lme4::VarCorr(fit)$patient, "stddev")[[1]], sd_within = sigma(fit))
  put("lme4", paste0("mixed.", name, ".lme4"), by_lme4, loglik = as.numeric(logLik(fit)))
  stopifnot(all.equal(by_lme4, exact, tolerance = 1e-6))
  if (exact[["sd_between"]] > 0) {
    fit <- nlme::lme(value ~ 1, random = ~ 1 | patient, data = frame, method = "REML", control = lmeControl(opt = "optim"))
    by_nlme <- c(intercept = nlme::fixef(fit)[[1]], se = sqrt(vcov(fit)[1, 1]))
    put("nlme", paste0("mixed.", name, ".nlme"), by_nlme)
    stopifnot(all.equal(by_nlme, exact[names(by_nlme)], tolerance = 1e-5))
  }
}
mixed("hip", hip)
mixed("hip_unrelated", hip_unrelated)

# ---------------------------------------------------------------- write

here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1]))
table <- do.call(rbind, rows)
stopifnot(!anyDuplicated(table$name))
write.csv(table, file.path(here, "values.csv"), row.names = FALSE, quote = FALSE, eol = "\n")
cat(nrow(table), "values\n")
