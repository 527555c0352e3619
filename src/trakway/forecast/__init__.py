"""What a run will need: disk, memory and hours, said before it starts."""

from trakway.forecast.forecast import Forecast, forecast

__all__ = ["Forecast", "forecast"]
