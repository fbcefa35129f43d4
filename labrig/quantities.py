"""The quantities of protocols and rigs: written with any unit of their kind, held in these."""

from __future__ import annotations

from typing import Annotated

from labrig.units import Unit

Seconds = Annotated[float, Unit("s")]
Hours = Annotated[float, Unit("h")]
Ms = Annotated[float, Unit("ms")]
Hertz = Annotated[float, Unit("Hz")]
Volts = Annotated[float, Unit("V")]
Milliamperes = Annotated[float, Unit("mA")]
Ohm = Annotated[float, Unit("ohm")]
NgPerMl = Annotated[float, Unit("ng/mL")]
Millimolar = Annotated[float, Unit("mM")]
MlPerHour = Annotated[float, Unit("mL/h")]
Ml = Annotated[float, Unit("mL")]
Ul = Annotated[float, Unit("uL")]
Percent = Annotated[float, Unit("percent")]
Celsius = Annotated[float, Unit("degC")]
Degrees = Annotated[float, Unit("deg")]
Cm = Annotated[float, Unit("cm")]
Mm = Annotated[float, Unit("mm")]
Um = Annotated[float, Unit("um")]
Nm = Annotated[float, Unit("nm")]
Cm2 = Annotated[float, Unit("cm**2")]
Mm2 = Annotated[float, Unit("mm**2")]
MwPerMm2 = Annotated[float, Unit("mW/mm**2")]
