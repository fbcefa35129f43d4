"""The restricted likelihood of a variance-component model, with gradient and curvature.

Model: y = X b + sum_k Z_k u_k + e with u_k ~ N(0, s2 g_k I), e ~ N(0, s2 I). The residual variance
s2 is profiled out (Patterson & Thompson 1971 Biometrika 58:545; the profiled criterion as in Bates
et al. 2015 J Stat Softw 67(1), sect. 3.4), so the deviance is a function of the ratios g alone.

Rows enter once, as cross products; an evaluation costs the cube of the number of levels, whatever
the number of rows. Write V = I + Z G Z' and P = V^-1 - V^-1 X (X'V^-1 X)^-1 X'V^-1. By Woodbury's
identity V^-1 needs the Cholesky factor of I + G^1/2 Z'Z G^1/2, which exists also where ratios are
0. Everything that likelihood and inference want are blocks of Z'PZ and Z'Py:

    deviance        log|V| + log|X'V^-1 X| + (n-p)(1 + log(2 pi y'Py / (n-p)))
    its gradient    tr(Z_k'PZ_k) - (n-p) |Z_k'Py|^2 / y'Py
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from labrig_analysis.statistics.groupings import Array, Groupings


@dataclass(frozen=True, slots=True)
class CrossProducts:
    """The data of a mixed model, as far as its likelihood needs them.

    The fixed part is turned into an orthonormal basis Q = X T^-1, and the response loses its
    ordinary least squares fit; both keep digits.

    Attributes:
        freedom: n - p.
        triangle: (p, p) T.
        start: (p,) coefficients of Q by ordinary least squares.
        zz, zq, zr: (q, q), (q, p), (q,): levels with levels, with Q, with the residuals r.
        rr: r'r.
        groupings: which levels belong to which factor.
    """

    freedom: int
    triangle: Array
    start: Array
    zz: Array
    zq: Array
    zr: Array
    rr: float
    groupings: Groupings


@dataclass(frozen=True, slots=True)
class Profile:
    """The model at given ratios of variances, with s2 at its best.

    Attributes:
        deviance: -2 log restricted likelihood.
        gradient, hessian: (K,), (K, K), of the deviance by the ratios.
        residual: s2, the residual variance.
        coefficients: (p,) of X.
        covariance: (p, p) of the coefficients, divided by s2.
        zpz, zpy: (q, q), (q,): Z'PZ and Z'Py.
        zvx: (q, p): Z'V^-1 X.
    """

    deviance: float
    gradient: Array
    hessian: Array
    residual: float
    coefficients: Array
    covariance: Array
    zpz: Array
    zpy: Array
    zvx: Array


def cross_products(response: Array, design: Array, groupings: Groupings) -> CrossProducts:
    """From rows, (n,) and (n, p), to what the likelihood needs; the design has full rank."""
    basis, triangle = np.linalg.qr(design)
    start = basis.T @ response
    left = response - basis @ start
    left -= basis @ (basis.T @ left)
    z = groupings.columns
    return CrossProducts(
        freedom=len(response) - design.shape[1],
        triangle=triangle,
        start=start,
        zz=z.T @ z,
        zq=z.T @ basis,
        zr=z.T @ left,
        rr=float(left @ left),
        groupings=groupings,
    )


def profile(data: CrossProducts, ratios: Array) -> Profile:
    """The restricted likelihood at ratios (K,) of factors' variances over the residual's, >= 0."""
    slices, freedom = data.groupings.slices, data.freedom
    root = np.zeros(len(data.zz))
    for part, ratio in zip(slices, ratios, strict=True):
        root[part] = math.sqrt(ratio)
    lower = np.linalg.cholesky(np.eye(len(root)) + root[:, None] * data.zz * root)
    halved = linalg.solve_triangular(
        lower, root[:, None] * np.column_stack([data.zq, data.zr, data.zz]), lower=True
    )
    p = data.zq.shape[1]
    of_q, of_r, of_z = halved[:, :p], halved[:, p], halved[:, p + 1 :]

    qvq = np.eye(p) - of_q.T @ of_q
    qvr, zvq, zvr = -of_q.T @ of_r, data.zq - of_z.T @ of_q, data.zr - of_z.T @ of_r
    inverse = np.linalg.inv(qvq)
    zpz = data.zz - of_z.T @ of_z - zvq @ inverse @ zvq.T
    zpy = zvr - zvq @ (inverse @ qvr)
    ypy = float(data.rr - of_r @ of_r - qvr @ inverse @ qvr)
    residual = ypy / freedom

    back = np.linalg.inv(data.triangle)
    log_determinants = (
        2 * np.log(np.diag(lower)).sum()
        + 2 * np.log(abs(np.diag(data.triangle))).sum()
        + np.linalg.slogdet(qvq)[1]
    )
    gradient, hessian = _derivatives(zpz, zpy, ypy, freedom, slices)
    return Profile(
        deviance=float(log_determinants + freedom * (1 + math.log(2 * math.pi * residual))),
        gradient=gradient,
        hessian=hessian,
        residual=residual,
        coefficients=back @ (data.start + inverse @ qvr),
        covariance=back @ inverse @ back.T,
        zpz=zpz,
        zpy=zpy,
        zvx=zvq @ data.triangle,
    )


def _derivatives(
    zpz: Array, zpy: Array, ypy: float, freedom: int, slices: tuple[slice, ...]
) -> tuple[Array, Array]:
    """Of the profiled deviance by the ratios, from dP/dg_k = -P Z_k Z_k' P."""
    traces = np.array([np.trace(zpz[k, k]) for k in slices])
    squares = np.array([zpy[k] @ zpy[k] for k in slices])
    gradient = traces - freedom * squares / ypy
    hessian = np.array(
        [
            [
                -((zpz[j, k] ** 2).sum()) + freedom * (2 * zpy[j] @ zpz[j, k] @ zpy[k] / ypy)
                for k in slices
            ]
            for j in slices
        ]
    ).reshape(len(slices), len(slices))
    return gradient, hessian - freedom * np.outer(squares, squares) / ypy**2
